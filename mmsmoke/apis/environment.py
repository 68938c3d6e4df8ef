import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from mmsmoke.version import __version__

PACKAGES = (
    'torch', 'torchvision', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation',
    'onedl-mmpretrain', 'timm', 'numpy', 'opencv-python',
)  # fmt: skip


def environment() -> dict:
    """What a result was made with."""
    return dict(
        mmsmoke=__version__,
        python=platform.python_version(),
        machine=platform.machine(),
        cpus=os.cpu_count(),
        cpu_instructions=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        packages={name: _version(name) for name in PACKAGES},
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

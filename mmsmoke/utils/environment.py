import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from mmsmoke.version import __version__

from .files import sha256_of_file

if TYPE_CHECKING:
    from mmengine.config import Config

PACKAGES = (
    'torch', 'torchvision', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation',
    'onedl-mmpretrain', 'timm', 'numpy', 'opencv-python',
)  # fmt: skip


def environment() -> dict:
    """Return what a result was made with. Where pydensecrf is None, dense CRFs run on torch."""
    import torch

    return dict(
        mmsmoke=__version__,
        python=platform.python_version(),
        machine=platform.machine(),
        cpus=os.cpu_count(),
        cpu_instructions=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        pydensecrf=_version('pydensecrf2') or _version('pydensecrf'),
        packages={name: _version(name) for name in PACKAGES},
    )


def config_record(cfg: 'Config') -> dict:
    """Say for a result which config made it."""
    text = cfg.pretty_text.encode()
    return dict(path=cfg.filename, sha256=hashlib.sha256(text).hexdigest())


def checkpoint_record(checkpoint: str | os.PathLike) -> dict:
    return dict(path=str(checkpoint), sha256=sha256_of_file(checkpoint))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

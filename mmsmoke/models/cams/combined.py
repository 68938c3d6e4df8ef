import torch
from torch import Tensor

from mmsmoke.functional import normalize_cams, resize_maps
from mmsmoke.utils import require_one_of

MODES = dict(
    **{'and': torch.minimum, 'or': torch.maximum}, mean=lambda ours, theirs: (ours + theirs) / 2
)


class CombinedCAM:
    """Put the maps of two classifiers of different architecture together.

    Each map is min-max normalised by itself; they meet on the finer of the two grids. ``and`` (the
    minimum) is what both see: it covers less and is more often right, and the precision of masks
    decides what a segmentor learns from them (ORANDNet, arXiv 2406.19638). ``or`` is the maximum.
    Logits are those of the first classifier.

    Args:
        read_out: of the first classifier.
        other: the second classifier, which reads its maps out in its own way.
        mode: ``and``, ``or`` or ``mean``.
        adapt: makes of the first one's inputs what the other expects.
    """

    normalize = 'none'  # the maps are scores

    def __init__(self, read_out, other, mode: str = 'and', adapt=lambda inputs: inputs):
        self.read_out, self.other, self.adapt = read_out, other, adapt
        require_one_of(MODES, mode=mode)
        self.combine = MODES[mode]

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        logits, ours = _scores(self.read_out, classifier, inputs)
        _, theirs = _scores(self.other.read_out, self.other, self.adapt(inputs))
        size = [max(sides) for sides in zip(ours.shape[-2:], theirs.shape[-2:], strict=True)]
        maps = self.combine(resize_maps(ours, size), resize_maps(theirs, size))
        return logits, maps[:, None]


def _scores(read_out, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits and maps [B, K, h, w] in [0, 1], several layers fused."""
    logits, maps = read_out(classifier, inputs)
    scores = []
    for layers in maps.float().relu():
        if len(layers) > 1:
            scores.append(read_out.fuse(layers))
        else:
            scores.append(normalize_cams(layers[0], read_out.normalize))
    return logits, torch.stack(scores)

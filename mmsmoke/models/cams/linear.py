from torch import Tensor, nn

from mmsmoke.functional import fuse_cams
from mmsmoke.registry import MODELS


@MODELS.register_module()
class LinearCAM:
    """Read out the class maps that the head itself pools: one forward pass, no gradient.

    Every read-out is such a function of a classifier and a batch. It returns logits [B, K] and
    signed maps [B, L, K, h, w], one for each of L layers; ``normalize`` says how its maps become
    scores in [0, 1], see :func:`~mmsmoke.functional.normalize_cams`, ``fuse`` what becomes of
    several layers.
    """

    normalize = 'minmax'
    fuse = staticmethod(fuse_cams)

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        head, feats = classifier.head, classifier.extract_feat(inputs)
        return head(feats), head.class_maps(feats)[:, None, : head.num_classes]


class ProjectionCAM(LinearCAM):
    """Read out what a distiller's projection onto class maps gives: what is aligned in training."""

    def __init__(self, projection: nn.Module):
        self.projection = projection

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        head, feats = classifier.head, classifier.extract_feat(inputs)
        return head(feats), self.projection(feats[-1])[:, None, : head.num_classes]

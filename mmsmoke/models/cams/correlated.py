from torch import Tensor

from mmsmoke.functional import correlated_maps
from mmsmoke.registry import MODELS

from ..backbones.pixel_correlation import require_correlation
from .linear import LinearCAM


@MODELS.register_module()
class CorrelatedCAM(LinearCAM):
    """Read out the head's maps after the pixel correlation module, as SEAM does.

    Maps are normalised before places take from each other, and are given back their strength
    afterwards, so that they are evidence as all others. Over several views, strong maps therefore
    count more than weak ones; in the original they count alike. Logits are the head's own. The
    module has to be in the backbone and in the mode ``seam``.
    """

    normalize = 'seam'

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        require_correlation(classifier.backbone, 'CorrelatedCAM', mode='seam')
        head, feats = classifier.head, classifier.extract_feat(inputs)
        maps = head.class_maps(feats)[:, : head.num_classes].float()
        strength = maps.relu().amax((2, 3), keepdim=True)
        return head(feats), (strength * correlated_maps(maps, feats[0])[:, 1:])[:, None]

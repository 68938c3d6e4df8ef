import torch
from torch import Tensor

from mmsmoke.functional import attention_distance, unmirrored
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

from ..cams.attention import record_attention
from .cam_classifier import CAMClassifier


@MODELS.register_module()
class ACRClassifier(CAMClassifier):
    """Train a ViT to attend alike in an image and in its mirror image (ACR).

    Sun et al., All-pairs Consistency Learning for Weakly Supervised Semantic Segmentation (2023).
    Both views are classified, and the attention of all blocks, averaged over heads, is compared
    where the patches of both lie: ``L = L_cls + L_mirrored + weight * (L_act + L_aff)``, see
    :func:`~mmsmoke.functional.attention_distance`. Nothing of it remains after training: tests see
    an ordinary classifier.

    ACR reads maps out by :class:`~mmsmoke.models.cams.AttentionGradCAM`.

    Args: as :class:`CAMClassifier`, and
        weight: of both distances. They are means over all pairs of N patches, whose attention is
            of the order 1 / N, so another grid wants another weight. ACR's is 125 at 24 x 24.
    """

    def __init__(self, *args, weight: float = 125.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.weight = weight

    def loss(self, inputs: Tensor, data_samples: list[WeakSegDataSample]) -> dict[str, Tensor]:
        with record_attention(self.backbone, heads=False) as found:
            both = self.extract_feat(torch.cat([inputs, inputs.flip(-1)]))
        feats, mirrored = zip(*(feat.chunk(2) for feat in both), strict=True)
        losses = self.losses_of(inputs, feats, data_samples)
        if any(getattr(aux, 'needs_samples', False) for aux in self.aux):
            data_samples = [sample.mirrored() for sample in data_samples]
        again = self.losses_of(inputs.flip(-1), mirrored, data_samples)
        losses |= {f'{name}_mirrored': value for name, value in again.items()}
        losses['loss_cls'] = losses.pop('loss')
        by_cls = found.means[0].shape[-1] > found.patches
        distances = []
        for block in found.means:
            ours, theirs = block.chunk(2)
            theirs = unmirrored(theirs, found.grid)
            distances.append(attention_distance(ours, theirs, found.patches, by_cls))
        activation, affinity = (
            torch.stack(values).mean() for values in zip(*distances, strict=True)
        )
        return {
            **losses,
            'loss_activation': self.weight * activation,
            'loss_affinity': self.weight * affinity,
        }

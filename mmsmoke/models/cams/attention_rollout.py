import torch
from torch import Tensor

from mmsmoke.functional import attention_rollout, fuse_cams, taken_from_patches
from mmsmoke.registry import MODELS

from .attention import record_attention
from .grad_cam import look


@MODELS.register_module()
class AttentionRollout:
    """Read out from which patches the CLS token has taken what it is, through all blocks.

    The map is the same for all classes: the head is not asked. It shows where the backbone looks.
    Where there is no CLS token, it is what the patches on average have taken from each patch. See
    :func:`~mmsmoke.functional.attention_rollout`.
    """

    normalize = 'minmax'
    fuse = staticmethod(fuse_cams)

    @torch.no_grad()
    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        with record_attention(classifier.backbone, heads=False) as found:
            logits, _ = look(classifier, inputs)
        flow = attention_rollout(torch.stack(found.means, 1))
        row = taken_from_patches(flow, found.patches, by_cls=flow.shape[-1] > found.patches)
        maps = row.unflatten(-1, found.grid)[:, None, None]
        return logits, maps.expand(-1, -1, logits.shape[1], -1, -1)

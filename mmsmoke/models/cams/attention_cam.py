from torch import Tensor

from mmsmoke.functional import propagate, resize_maps
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .attention import RecordedAttention, record_attention
from .multi_scale import MultiScaleCAM


@MODELS.register_module()
class AttentionCAM:
    """Spread another read-out's maps along the attention between patches, as TransCAM does.

    A patch receives the evidence of all that it attends to, ``cam_i = sum_j A_ij M_j``, where A is
    the attention between patches, averaged over heads and added up over blocks. Maps M of another
    grid than that of the patches are resized to it.

    Args:
        cam: the read-out whose maps are spread; the head's own linear map by default. To look at
            several views, put this read-out inside a
            :class:`~mmsmoke.models.cams.MultiScaleCAM`, by the classifier's ``views``.
    """

    def __init__(self, cam: dict | None = None):
        self.cam = MODELS.build(cam or dict(type='mmsmoke.LinearCAM'))
        if isinstance(self.cam, MultiScaleCAM):
            raise UserError(
                'attention belongs to one view: put AttentionCAM into MultiScaleCAM, by '
                "views=dict(recipe=…) beside cam=dict(type='mmsmoke.AttentionCAM')"
            )
        self.normalize, self.fuse = self.cam.normalize, self.cam.fuse

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        with record_attention(classifier.backbone, heads=False) as found:
            logits, maps = self.cam(classifier, inputs)
        flat = maps.float().flatten(1, 2)
        if flat.shape[2:] != found.grid:
            flat = resize_maps(flat, found.grid)
        spread = propagate(flat, between_patches(found), steps=1)
        return logits, spread.unflatten(1, maps.shape[1:3])


def between_patches(found: RecordedAttention) -> Tensor:
    """Return the attention between patches [B, N, N], averaged over heads, added up over blocks."""
    n = found.patches
    return sum(attention.detach()[..., -n:, -n:] for attention in found.means).float()

import torch
from torch import Tensor

from mmsmoke.functional import class_attention, fuse_cams, propagate
from mmsmoke.registry import MODELS

from .attention import record_attention
from .attention_cam import between_patches
from .grad_cam import class_gradients, look


@MODELS.register_module()
class AttentionGradCAM:
    """Read maps out by the gradient of each logit with respect to the attention, as ACR does.

    Positive gradients of the late blocks' attention, averaged over heads and added up over blocks,
    say by how much more attention to each patch would raise the logit. The row of the CLS token
    is looked at. Where the logit does not depend on what the CLS token of the last block attends
    to, because the head pools patches (:class:`~mmsmoke.models.heads.CAMHead`) or there is no such
    token, it is the mean row of the patches instead.

    One forward and one backward pass for all classes, of which the backward pass holds a gradient
    for each class and late block, [K, B, heads, T, T]: label many classes in small batches.
    Images must not interact, so the classifier has to be in eval mode, as it is in the test loop.

    Args:
        start_layer: index of the first block whose gradients count, negative ones from the end.
            ACR takes the last two blocks of twelve.
        propagate: spread the maps along the attention between patches of all blocks, as
            :class:`~mmsmoke.models.cams.AttentionCAM` does, and as ACR does for its labels.

    Example:
        >>> cam = dict(type='mmsmoke.AttentionGradCAM', start_layer=10)
    """

    normalize = 'minmax'
    fuse = staticmethod(fuse_cams)

    def __init__(self, start_layer: int = -2, propagate: bool = True):
        self.start_layer, self.propagate = start_layer, propagate

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        with (
            record_attention(classifier.backbone, self.start_layer) as found,
            torch.autocast(inputs.device.type, enabled=False),
        ):
            logits, _ = look(classifier, inputs)
            gradients = class_gradients(logits, found.blocks)
            has_cls = gradients[-1].shape[-1] > found.patches
            by_cls = has_cls and bool(gradients[-1][..., 0, :].any())
            maps = class_attention(gradients, found.patches, by_cls).unflatten(-1, found.grid)
            if self.propagate:
                maps = propagate(maps, between_patches(found), steps=1)
        return logits.detach(), maps[:, None]

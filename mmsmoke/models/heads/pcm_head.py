from torch import Tensor

from mmsmoke.registry import MODELS

from .cam_head import CAMHead


@MODELS.register_module()
class PCMHead(CAMHead):
    """Add to each position's evidence that of its like; the head of the thesis' teacher.

    With the convolution phi, the map g and the affinity A of
    :class:`~mmsmoke.models.backbones.ResNetPCM`, the class maps are phi(g) + phi(g A). They are
    computed as phi(g) + phi(g) A: the columns of A sum to 1, so both are equal, bias included,
    but A meets K + 1 channels instead of the thousands of g.

    Args: as :class:`CAMHead`, with ``background`` and ``bias`` by default. The thesis draws phi
        with a standard deviation of 1 for one class, so that the background, which nothing
        trains, stays strong: ``init_cfg=dict(type='Kaiming', layer='Conv2d')``.

    Example:
        >>> head = PCMHead(num_classes=1, in_channels=8)
        >>> affinity = torch.eye(35)[None]
        >>> head.class_maps((affinity, torch.rand(1, 8, 5, 7))).shape
        torch.Size([1, 2, 5, 7])
    """

    def __init__(self, *args, background: bool = True, bias: bool = True, **kwargs):
        super().__init__(*args, background=background, bias=bias, **kwargs)

    def class_maps(self, feats: tuple[Tensor, Tensor]) -> Tensor:
        """Return signed evidence at each position, [B, K, h, w], or K + 1 with ``background``.

        Args:
            feats: affinity [B, N, N] and map [B, C, h, w].
        """
        affinity, _ = feats
        own = super().class_maps(feats)
        shared = own.flatten(2) @ affinity.to(own)
        return own + shared.view_as(own)

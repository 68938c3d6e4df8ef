from mmsmoke.registry import MODELS

from .transfer_loss import TransferLoss


@MODELS.register_module()
class GlobalCosineTransferLoss(TransferLoss):
    """Measure 1 - cosine of the two maps, each flattened to one vector: the method's default.

    It lies in [0, 2] and ignores the strength of either map, but not a constant shift, which
    ``center`` removes. A channel of much more energy than the others decides it alone.

    Args: as :class:`TransferLoss`.
    """

    def __init__(self, channels: str = 'all', center: bool = False, loss_weight: float = 1.0):
        settings = dict(channels=channels, center=center, loss_weight=loss_weight)
        super().__init__(level='global', metric='cosine', **settings)

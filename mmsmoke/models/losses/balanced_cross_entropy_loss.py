from torch import Tensor, nn

from mmsmoke.functional import IGNORE, balanced_cross_entropy
from mmsmoke.registry import MODELS


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """Average the cross-entropy of background and foreground apart, for mmseg's heads.

    See :func:`~mmsmoke.functional.balanced_cross_entropy`. Several foreground classes are one half
    together.

    Args:
        loss_weight: of the loss.
        loss_name: under which it is logged; it must begin with ``loss_`` to be learned from.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_ce'):
        super().__init__()
        self.loss_weight, self.loss_name = loss_weight, loss_name

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = IGNORE,
    ) -> Tensor:
        return self.loss_weight * balanced_cross_entropy(logits, labels, weight, ignore_index)

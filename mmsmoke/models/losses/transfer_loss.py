from torch import Tensor, nn

from mmsmoke.functional.transfer import check_choice, transfer_distance
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, require_one_of

CHANNELS = ('all', 'fg')


@MODELS.register_module()
class TransferLoss(nn.Module):
    """Measure how far a student's maps are from those of its teacher.

    Metrics differ in unit and size, so a ``loss_weight`` that suits one says nothing about
    another: compare metrics only after a sweep of each. Gradients flow into both maps.

    Args:
        level, metric, pairs, center: see :func:`~mmsmoke.functional.transfer_distance`.
        channels: ``all``, or ``fg`` to leave out the last channel of both maps: the background of
            class maps with K + 1 channels, which no label supervises.
        loss_weight: the method's lambda.

    Example:
        >>> import torch
        >>> loss = TransferLoss(level='spatial', metric='l1', loss_weight=0.5)
        >>> loss(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4))
        tensor(0.5000)
    """

    def __init__(
        self,
        level: str = 'global',
        metric: str = 'cosine',
        pairs: str = 'all',
        channels: str = 'all',
        center: bool = False,
        loss_weight: float = 1.0,
    ):
        super().__init__()
        check_choice(level, metric, pairs)
        require_one_of(CHANNELS, channels=channels)
        self.distance = dict(level=level, metric=metric, pairs=pairs, center=center)
        self.channels, self.loss_weight = channels, loss_weight

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the weighted distance of two maps [B, D, h, w], or logits [B, D], as a scalar."""
        if self.channels == 'fg':
            student, teacher = self._foreground(student), self._foreground(teacher)
        try:
            distance = transfer_distance(student, teacher, **self.distance)
        except ValueError as error:  # maps that its settings cannot compare
            raise UserError(f'transfer_loss: {error}') from error
        return self.loss_weight * distance

    @staticmethod
    def _foreground(x: Tensor) -> Tensor:
        if x.shape[1] == 1:
            raise UserError(
                "channels='fg' leaves out the last channel, the background, but the maps have only "
                "one channel: take channels='all'"
            )
        return x[:, :-1]

    def extra_repr(self) -> str:
        shown = dict(self.distance, channels=self.channels, loss_weight=self.loss_weight)
        return ', '.join(f'{name}={value!r}' for name, value in shown.items())

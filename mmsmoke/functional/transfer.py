"""Measure how far the feature maps of two networks are apart: at a level, in a metric."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .cam import resize_maps
from .precision import without_autocast

EPS = 1e-8


def _cosine(student: Tensor, teacher: Tensor) -> Tensor:
    return 1 - (_unit(student) * _unit(teacher)).sum(-1).mean()


def _l1(student: Tensor, teacher: Tensor) -> Tensor:
    return (student - teacher).abs().mean()


def _l2(student: Tensor, teacher: Tensor) -> Tensor:
    return torch.linalg.vector_norm(student - teacher, dim=-1).mean()


def _kl(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean KL(teacher || student) of independent sigmoids.

    The usual softmax over classes would be zero for any two logits of a single class.
    """
    target = teacher.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(student, target)
    return cross_entropy - F.binary_cross_entropy_with_logits(teacher, target)


def _all_pairs(metric: str, student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean over all pairs of rows, without the [B, D, D, N] that pairs would take.

    Args:
        student, teacher: [B, D, N].
    """
    if metric == 'cosine':  # the mean of all dot products is the dot product of the means
        return 1 - (_unit(student).mean(1) * _unit(teacher).mean(1)).sum(-1).mean()
    if metric == 'l1':
        return torch.cdist(student, teacher, p=1).mean() / student.shape[-1]
    return torch.cdist(student, teacher, compute_mode='donot_use_mm_for_euclid_dist').mean()


def _unit(x: Tensor) -> Tensor:
    """Scale rows to length one; a row of zeros stays zero, with gradient zero and not 1 / EPS."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / norm.where(norm > EPS, torch.inf)


def _gram(x: Tensor) -> Tensor:
    return (_unit(x) @ _unit(x).transpose(1, 2)).flatten(1)


METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'cosine': _cosine,
    'l1': _l1,
    'l2': _l2,
    'kl': _kl,
}

# how [B, D, N] is cut into the vectors that are compared, which lie along the last dimension
LEVELS: dict[str, Callable[[Tensor], Tensor]] = {
    'global': lambda x: x.flatten(1),
    'spatial': lambda x: x.transpose(1, 2),
    'channel': lambda x: x,
    'map': lambda x: x.mean(1),
    'gram': _gram,
}
PAIRS = ('all', 'matched')


@without_autocast
def transfer_distance(
    student: Tensor,
    teacher: Tensor,
    level: str = 'global',
    metric: str = 'cosine',
    pairs: str = 'all',
    center: bool = False,
) -> Tensor:
    """Return the distance of two batches of maps, averaged over the batch.

    ======= ==================== ==================================================
    level   compared             what is a vector
    ======= ==================== ==================================================
    global  [B, D * N]           the whole map (the method's choice)
    spatial [B, N]               all channels at one position
    channel [B, D, D] or [B, D]  one channel over all positions; all pairs or own
    map     [B, N]               the mean over channels
    gram    [B, D * D]           cosines between the channels of one network
    ======= ==================== ==================================================

    ``cosine`` is 1 - cosine, ``l1`` the mean absolute difference, ``l2`` the mean norm, neither
    squared nor divided by anything; ``kl`` takes the values for logits of independent sigmoids.
    A vector of zeros has cosine 0 with everything, and no gradient from it.

    Args:
        student, teacher: [B, D, h, w], or [B, D] for logits. Of differing grids, the finer is
            resized to the coarser.
        pairs: of channels, for level ``channel``: the mean over ``all`` pairs (thesis) is not
            smallest for equal maps, that over ``matched`` ones is.
        center: subtract each channel's mean over positions first. Cosine then ignores constant
            shifts (it is Pearson's correlation).

    Example:
        >>> x = torch.rand(2, 3, 4, 4)
        >>> transfer_distance(x, 5 * x).abs() < 1e-6
        tensor(True)
    """
    check_choice(level, metric, pairs)
    if student.shape[:2] != teacher.shape[:2] or student.dim() != teacher.dim():
        raise ValueError(
            f'maps of shapes {tuple(student.shape)} and {tuple(teacher.shape)} cannot be compared: '
            'give both as many channels by a projection'
        )
    dtype = torch.promote_types(torch.result_type(student, teacher), torch.float32)
    student, teacher = match_grids(student.to(dtype), teacher.to(dtype))
    student, teacher = (_rows(x) for x in (student, teacher))
    _check_rows(student, level, metric, center)
    if center:
        student, teacher = (x - x.mean(-1, keepdim=True) for x in (student, teacher))
    if level == 'channel' and pairs == 'all':
        return _all_pairs(metric, student, teacher)
    return METRICS[metric](LEVELS[level](student), LEVELS[level](teacher))


def check_choice(level: str, metric: str, pairs: str) -> None:
    for name, value, choices in (
        ('level', level, LEVELS),
        ('metric', metric, METRICS),
        ('pairs', pairs, PAIRS),
    ):
        if value not in choices:
            raise ValueError(f'{name} must be one of {", ".join(choices)}, got {value!r}')
    if metric == 'kl' and level != 'global':
        raise ValueError(f'kl compares logits one by one: it has level global, not {level}')


def match_grids(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Resize the finer of two maps to the grid of the coarser."""
    if student.shape[2:] == teacher.shape[2:]:
        return student, teacher
    if student.shape[2:].numel() > teacher.shape[2:].numel():
        return resize_maps(student, teacher.shape[2:]), teacher
    return student, resize_maps(teacher, student.shape[2:])


def _rows(x: Tensor) -> Tensor:
    """Return [B, D, N] of maps [B, D, h, w], or of logits [B, D] with N = 1."""
    return x.flatten(2) if x.dim() > 2 else x[..., None]


def _check_rows(x: Tensor, level: str, metric: str, center: bool) -> None:
    """Refuse what would be constant, so that nothing could be learned from it."""
    if center and x.shape[-1] == 1:
        raise ValueError('center needs maps: a single position minus its mean is zero')
    if level == 'gram' and 1 in x.shape[1:]:
        raise ValueError('level gram needs several channels and positions, else it is constant')
    if metric == 'cosine' and LEVELS[level](x[:1]).shape[-1] == 1:
        raise ValueError(
            'the cosine of two single numbers has no gradient, and the vectors of level '
            f'{level} are single numbers here: take another metric or level'
        )

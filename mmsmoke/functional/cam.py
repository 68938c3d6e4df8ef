"""Turn class activation maps into label maps: normalise, resize, threshold."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .mask_values import IGNORE

_SEAM_MARGIN = 1e-5


def normalize_cams(cams: Tensor, mode: str = 'minmax', eps: float = 1e-8) -> Tensor:
    """Scale every map to [0, 1] on its own.

    An empty map stays empty: a map without contrast (``minmax``, ``seam``) or without a positive
    value (``max``) becomes zero, never one.

    Args:
        cams: [..., h, w]; negative values count as zero.
        mode: ``minmax`` (thesis), ``max`` (IRN, PSA), ``seam`` (SEAM, TransCAM: min-max with a
            margin of 1e-5, so that the lowest value is cut off) or ``none`` for maps that are
            within [0, 1] already.
    """
    cams = cams.clamp(min=0)
    if mode == 'none':
        return cams.clamp(max=1)
    high = cams.amax(dim=(-2, -1), keepdim=True)
    if mode == 'max':
        low, margin = torch.zeros_like(high), 0.0
    elif mode in ('minmax', 'seam'):
        low = cams.amin(dim=(-2, -1), keepdim=True)
        margin = _SEAM_MARGIN if mode == 'seam' else 0.0
    else:
        raise ValueError(f"normalize must be 'minmax', 'max', 'seam' or 'none', got {mode!r}")
    scaled = (cams - low - margin).clamp(min=0) / (high - low + margin).clamp(min=eps)
    return torch.where(high - low > eps, scaled, torch.zeros_like(scaled))


FUSIONS = dict(
    mean=lambda layers, weights: (layers * (weights / weights.sum())).sum(0),
    max=lambda layers, weights: (layers * (weights / weights.max())).amax(0),
    product=lambda layers, weights: layers.pow(weights / weights.sum()).prod(0),
)


def fuse_cams(layers: Tensor, mode: str = 'mean', weights: Sequence[float] | None = None) -> Tensor:
    """Fuse the maps of several layers; each is normalised before, and their fusion after.

    A layer without evidence contributes zeros; in a ``product`` that empties the fused map.

    Args:
        layers: [L, K, h, w].
        mode: ``mean`` (thesis), ``max`` or ``product`` (geometric mean).
        weights: L positive numbers, equal by default.

    Returns:
        [K, h, w] in [0, 1].
    """
    if mode not in FUSIONS:
        raise ValueError(f'mode must be one of {sorted(FUSIONS)}, got {mode!r}')
    layers = normalize_cams(layers)
    weights = layers.new_ones(len(layers)) if weights is None else layers.new_tensor(weights)
    if len(weights) != len(layers) or not (weights > 0).all():
        raise ValueError(f'{len(layers)} layers need as many positive weights, got {weights}')
    return normalize_cams(FUSIONS[mode](layers, weights[:, None, None, None]))


MERGES = dict(
    mean=lambda views: views.mean((0, 1)),
    sum=lambda views: views.sum((0, 1)),
    sum_of_max=lambda views: views.amax(1).relu().sum(0),
)


def merge_views(views: Tensor, mode: str) -> Tensor:
    """Merge the maps of several views of an image into one.

    Args:
        views: [S, F, ..., h, w], S scales and F = 1, or 2 where the second is the map of the
            mirrored image, turned back.
        mode: ``mean``, ``sum``, or ``sum_of_max`` (AFA, ToCo: at each scale the stronger of a view
            and its mirror image, ReLU-ed).

    Returns:
        [..., h, w]
    """
    if mode not in MERGES:
        raise ValueError(f'mode must be one of {sorted(MERGES)}, got {mode!r}')
    return MERGES[mode](views)


def cams_to_scores(
    cams: Tensor, size: tuple[int, int], present: Tensor | None = None, normalize: str = 'minmax'
) -> Tensor:
    """Return normalised maps at image size, zero for absent classes.

    Args:
        cams: [K, h, w] as the classifier gave them.
        size: (H, W) of the image.
        present: bool [K], classes that the image has; all if None.

    Returns:
        float32 [K, H, W] in [0, 1].
    """
    scores = normalize_cams(cams.float(), normalize)
    if present is not None:
        scores = scores * present.to(scores)[:, None, None]
    return resize_maps(scores[None], size)[0]


def logits_to_scores(logits: Tensor, present: Tensor | None = None) -> Tensor:
    """Return how sure a segmentor is of each class, zero for absent classes.

    Args:
        logits: [K + 1, H, W], background first; or [1, H, W], probabilities of the only class, as
            mmseg gives them.
        present: bool [K], classes that the image has; all if None.

    Returns:
        float32 [K, H, W] in [0, 1].
    """
    logits = logits.float()
    scores = logits.softmax(0)[1:] if len(logits) > 1 else logits
    return scores if present is None else scores * present.to(scores)[:, None, None]


def resize_maps(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Resize [B, C, h, w] to ``[B, C, *size]``, bilinearly, without aligned corners."""
    return F.interpolate(maps, size=tuple(size), mode='bilinear', align_corners=False)


def scores_to_mask(
    scores: Tensor,
    threshold: float | Sequence[float],
    background: float | Sequence[float] | None = None,
) -> Tensor:
    """Return the strongest class where its score exceeds the threshold, else background.

    Where classes have different thresholds, the strongest is the one whose score is the largest
    multiple of its own threshold.

    Args:
        scores: [K, H, W] in [0, 1].
        threshold: a pixel is foreground if its best score is strictly greater; of K numbers, each
            is that of a class.
        background: a pixel that is not foreground is background only if its best score is not
            greater than this, and ignored otherwise; the threshold by default. Of K numbers, it
            is ignored if any class exceeds its own.

    Returns:
        uint8 [H, W]; 0 background, k + 1 class k, 255 ignored.
    """
    threshold, background = _one_if_equal(threshold), _one_if_equal(background)
    if not isinstance(threshold, Sequence):
        best, label = scores.max(dim=0)
        mask = torch.where(best > threshold, label + 1, 0)
    else:
        own = _of_classes(threshold, scores)
        multiples = torch.where(scores > own, scores / own.clamp(min=1e-6), 0)
        best, label = multiples.max(dim=0)
        mask = torch.where(best > 0, label + 1, 0)
    if background is not None:
        possible = (scores > _of_classes(background, scores)).any(dim=0)
        mask[(mask == 0) & possible] = IGNORE
    return mask.to(torch.uint8)


def _one_if_equal(values: float | Sequence[float] | None) -> float | Sequence[float] | None:
    """Return equal numbers as one: classes then compete by their scores alone, without rounding."""
    if not isinstance(values, Sequence) or len(set(values)) > 1:
        return values
    return values[0]


def _of_classes(values: float | Sequence[float], scores: Tensor) -> float | Tensor:
    """Return what [K, H, W] can be compared with."""
    if not isinstance(values, Sequence):
        return values
    if len(values) != len(scores):
        raise ValueError(f'{len(scores)} classes need as many thresholds, got {list(values)}')
    return scores.new_tensor(values)[:, None, None]


def strongest(scores: Tensor) -> Tensor:
    """Return the strongest class, where the background scores what is left of 1.

    Args:
        scores: [..., K, H, W], probabilities without that of the background.

    Returns:
        int64 [..., H, W]; 0 background, k + 1 class k.
    """
    background = 1 - scores.sum(-3, keepdim=True)
    return torch.cat([background, scores], -3).argmax(-3)


def threshold_of_power(alpha: float) -> float:
    """Return the constant threshold that equals a background of ``(1 - max_k cam_k) ** alpha``.

    A pixel is foreground where its best score exceeds the background score, which for a power of
    alpha is so exactly above the root c of (1 - c) ** alpha = c: 0.5 for 1, 0.147 for 12.
    """
    if not alpha > 0:
        raise ValueError(f'alpha must be positive, got {alpha}')
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - middle) ** alpha > middle else (low, middle)
    return high


def background_scores(
    scores: Tensor,
    power: float | None = None,
    constant: float | None = None,
    level: float | None = None,
    sharpness: float = 20.0,
    remainder: bool = False,
) -> Tensor:
    """Return the background's score beside those of the classes, by one of four rules.

    Args:
        scores: [..., K, H, W] in [0, 1].
        power: ``(1 - max_k score_k) ** power``.
        constant: the same everywhere.
        level: equal to the best class where that has this score; from there the logarithm of
            their ratio changes by ``sharpness`` for a whole unit of score.
        sharpness: of ``level``.
        remainder: what the classes leave of 1, for probabilities of a segmentor.

    Returns:
        [..., 1, H, W]
    """
    if [power, constant, level, remainder or None].count(None) != 3:
        given = f'{power}, {constant}, {level}, {remainder}'
        raise ValueError(f'give one of power, constant, level and remainder, got {given}')
    if remainder:
        return (1 - scores.sum(-3, keepdim=True)).clamp(min=0)
    best = scores.amax(-3, keepdim=True)
    if power is not None:
        return (1 - best) ** power
    if constant is not None:
        return torch.full_like(best, constant)
    return best.clamp(min=1e-4) * (sharpness * (level - best)).exp()


def label_scores(scores: Tensor, **background) -> Tensor:
    """Return the background and the classes [..., 1 + K, H, W], adding up to one at each pixel.

    Args:
        scores: [..., K, H, W] in [0, 1].
        background: rule of :func:`background_scores`.
    """
    together = torch.cat([background_scores(scores, **background), scores], -3)
    return together / together.sum(-3, keepdim=True).clamp(min=1e-8)

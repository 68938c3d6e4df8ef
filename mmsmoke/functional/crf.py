"""Run fully connected CRFs: mean field, a Gaussian and a bilateral kernel, two implementations.

``pydensecrf`` is the one that the literature used, in C++; ``torch`` is ours, equal to it, for
batches on GPUs and for machines without a compiler.
"""

import importlib.util
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .mask_values import IGNORE
from .permutohedral import PermutohedralLattice
from .precision import without_autocast

LEAST_PROBABILITY = 1e-5


@dataclass(frozen=True)
class CRFSettings:
    """Hold spreads of the kernels in pixels and colours, their weights, and the iterations."""

    gaussian_xy: float
    gaussian_weight: float
    bilateral_xy: float
    bilateral_rgb: float
    bilateral_weight: float
    iterations: int

    def shrunk(self, factor: float) -> 'CRFSettings':
        """Return the same settings for images at a fraction of the size."""
        near, far = (xy * factor for xy in (self.gaussian_xy, self.bilateral_xy))
        return replace(self, gaussian_xy=near, bilateral_xy=far)


CRF_PRESETS = dict(
    thesis=CRFSettings(3, 5, 60, 5, 15, 5),
    psa=CRFSettings(3, 3, 80, 13, 10, 10),
    irn=CRFSettings(3, 3, 50, 5, 10, 10),
    clip_es=CRFSettings(1, 3, 67, 3, 4, 10),
    deeplab=CRFSettings(1, 3, 67, 3, 4, 10),  # DeepLabV2's, which CLIP-ES took over
    # ours, for what is seen through, such as smoke: weak, near, and no kernel of places alone
    translucent=CRFSettings(1, 0, 30, 10, 5, 5),
)


def dense_crf(
    image: np.ndarray | Tensor,
    probs: np.ndarray | Tensor,
    preset: str | CRFSettings = 'thesis',
    backend: str = 'pydensecrf',
    half: bool = False,
) -> np.ndarray | Tensor:
    """Return class probabilities that follow the edges of the image.

    Args:
        image: uint8 [H, W, 3] RGB; with the backend ``torch`` also [B, H, W, 3].
        probs: [L, H, W] or [B, L, H, W], the background among the L; values below 1e-5 count as
            that. Unless they add up to one at each pixel they are taken as relative.
        backend: ``pydensecrf``, or ``torch`` if that is not installed, with a warning; ``torch``.
        half: work on every second row and column, and enlarge the result.

    Returns:
        float32, of the type, shape and device of ``probs``; adds up to one at each pixel.
    """
    if isinstance(preset, str) and preset not in CRF_PRESETS:
        raise ValueError(f'preset must be one of {", ".join(CRF_PRESETS)}, got {preset!r}')
    settings = CRF_PRESETS[preset] if isinstance(preset, str) else preset
    if isinstance(image, np.ndarray):
        image = image.copy()  # Pillow's are read-only, of which torch warns
    pixels, scores = torch.as_tensor(image), torch.as_tensor(probs)
    if pixels.dtype != torch.uint8 or pixels.shape[-1] != 3:
        raise ValueError(f'image must be uint8 [H, W, 3], got {pixels.dtype} {list(pixels.shape)}')
    batched = pixels.ndim == 4
    if not batched:
        pixels, scores = pixels[None], scores[None]
    if pixels.shape[:3] != (len(scores), *scores.shape[2:]):
        raise ValueError(f'image {list(pixels.shape)} and probs {list(scores.shape)} do not fit')
    size = scores.shape[2:]
    if half:
        smaller = [max(1, length // 2) for length in size]
        shrunk = F.interpolate(pixels.permute(0, 3, 1, 2).float(), smaller, mode='area')
        pixels = shrunk.round().to(torch.uint8).permute(0, 2, 3, 1)
        scores = F.interpolate(scores.float(), smaller, mode='area')
        settings = settings.shrunk(0.5)
    energy = -scores.float().clamp(LEAST_PROBABILITY, 1).log()
    refined = BACKENDS[usable_backend(backend)](pixels.to(energy.device), energy, settings)
    if half:
        refined = F.interpolate(refined, size, mode='bilinear', align_corners=False)
    refined = refined if batched else refined[0]
    return refined.numpy() if isinstance(probs, np.ndarray) else refined


def has_pydensecrf() -> bool:
    return importlib.util.find_spec('pydensecrf') is not None


def usable_backend(name: str) -> str:
    """Return the backend; warn and return ``torch`` instead of a missing pydensecrf."""
    if name not in BACKENDS:
        raise ValueError(f'backend must be one of {sorted(BACKENDS)}, got {name!r}')
    if name == 'pydensecrf' and not has_pydensecrf():
        warnings.warn(
            'pydensecrf is not installed: dense CRFs run on torch instead, with nearly the same '
            "result; say backend='torch' if that is what you want, or install it: "
            "pip install 'mmsmoke[crf]' (needs a C++ compiler; docs/install.md)",
            stacklevel=3,
        )
        return 'torch'
    return name


def label_probs(mask: np.ndarray, num_labels: int, certainty: float = 0.7) -> np.ndarray:
    """Return [L, H, W] for a label map that is right with this certainty; 255 is any label."""
    rest = (1 - certainty) / max(1, num_labels - 1)
    probs = np.full((num_labels, *mask.shape), rest, np.float32)
    for label in range(num_labels):
        probs[label][mask == label] = certainty
    probs[:, mask == IGNORE] = 1 / num_labels
    return probs


@without_autocast
def _torch_mean_field(image: Tensor, energy: Tensor, settings: CRFSettings) -> Tensor:
    batch, labels, height, width = energy.shape
    near = None
    if settings.gaussian_weight:
        near = _spatial_kernel(height, width, settings.gaussian_xy, energy.device)
    places = _places(height, width, energy.device) / settings.bilateral_xy
    colours = image.reshape(batch, -1, 3).float() / settings.bilateral_rgb
    features = torch.cat([places.expand(batch, -1, -1), colours], -1)
    alike = PermutohedralLattice(features).normalise()
    energy = energy.reshape(batch, labels, -1).transpose(1, 2).contiguous()
    probs = _over_labels(-energy)
    for _ in range(settings.iterations):
        agreement = settings.bilateral_weight * alike.filter(probs)
        if near is not None:
            agreement += settings.gaussian_weight * near.filter(probs)
        probs = _over_labels(agreement - energy)
    return probs.transpose(1, 2).reshape(batch, labels, height, width)


@lru_cache(maxsize=2)  # one of 4K takes half a gigabyte
@torch.inference_mode(False)  # kept for whoever comes next
def _spatial_kernel(
    height: int, width: int, spread: float, device: torch.device
) -> PermutohedralLattice:
    """Build the kernel that knows only places, which all images of a size share."""
    return PermutohedralLattice(_places(height, width, device) / spread).normalise()


def _places(height: int, width: int, device: torch.device) -> Tensor:
    """List columns and rows of all pixels [1, H W, 2]."""
    rows = torch.arange(height, device=device, dtype=torch.float32)
    columns = torch.arange(width, device=device, dtype=torch.float32)
    return torch.stack(torch.meshgrid(columns, rows, indexing='xy'), -1).view(1, -1, 2)


def _over_labels(scores: Tensor) -> Tensor:
    """Take the softmax over the last dimension; over few labels it is fast only as the first."""
    return scores.transpose(1, 2).softmax(1).transpose(1, 2).contiguous()


def _pydensecrf_mean_field(image: Tensor, energy: Tensor, settings: CRFSettings) -> Tensor:
    from pydensecrf.densecrf import DenseCRF2D

    labels, height, width = energy.shape[1:]
    refined = []
    for pixels, unary in zip(image.cpu().numpy(), energy.cpu().numpy(), strict=True):
        crf = DenseCRF2D(width, height, labels)
        crf.setUnaryEnergy(np.ascontiguousarray(unary.reshape(labels, -1)))
        if settings.gaussian_weight:
            crf.addPairwiseGaussian(sxy=settings.gaussian_xy, compat=settings.gaussian_weight)
        crf.addPairwiseBilateral(
            sxy=settings.bilateral_xy,
            srgb=settings.bilateral_rgb,
            rgbim=np.ascontiguousarray(pixels),
            compat=settings.bilateral_weight,
        )
        refined.append(np.array(crf.inference(settings.iterations), np.float32))
    return torch.as_tensor(np.stack(refined)).view(energy.shape).to(energy.device)


BACKENDS = dict(pydensecrf=_pydensecrf_mean_field, torch=_torch_mean_field)

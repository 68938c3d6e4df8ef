import numpy as np
from torch import Tensor

from mmsmoke.registry import TRANSFORMS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError


def shown(refiner, inputs: Tensor | None, sample: WeakSegDataSample) -> np.ndarray:
    """Return what a refiner looks at, uint8 [H, W, 3] RGB; see :func:`picture`."""
    if inputs is not None and getattr(refiner, 'sees_input', False):
        return np.ascontiguousarray(inputs.flip(0).permute(1, 2, 0).cpu().numpy())
    return picture(inputs, sample)


def picture(inputs: Tensor | None, sample: WeakSegDataSample) -> np.ndarray:
    """Return the image at the size of the sample's ``seg_scores``, for refiners that see colours.

    What the loader gave is taken if it has that size; otherwise the file is read again.

    Args:
        inputs: uint8 [3, h, w] BGR, as the loader gave it; None reads the file.

    Returns:
        uint8 [H, W, 3] RGB, contiguous.
    """
    size = tuple(sample.seg_scores.shape[1:])
    if inputs is not None and tuple(inputs.shape[1:]) == size:
        pixels = inputs.permute(1, 2, 0).cpu().numpy()
    else:
        load = TRANSFORMS.build(dict(type='mmsmoke.LoadImage'))
        pixels = load(dict(img_path=sample.img_path))['img']
        if pixels.shape[:2] != size:
            raise DataError(
                f'{sample.img_path} is {pixels.shape[1]}x{pixels.shape[0]} pixels large, its '
                f'scores {size[1]}x{size[0]}; has it changed since the run began?'
            )
    return np.ascontiguousarray(pixels[..., ::-1])

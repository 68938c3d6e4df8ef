import numpy as np
from torch import Tensor

from mmsmoke.datasets.transforms import LoadImage
from mmsmoke.structures import WeakSegDataSample


def picture(inputs: Tensor, sample: WeakSegDataSample) -> np.ndarray:
    """The image of a label run as RGB, uint8 [H, W, 3], at the size of its ``seg_scores``.

    Args:
        inputs: uint8 [3, h, w] BGR, as the loader gave it; if it was resized, the file is read
            once more.
    """
    if inputs.shape[1:] == sample.seg_scores.shape[1:]:
        pixels = inputs.permute(1, 2, 0).cpu().numpy()
    else:
        pixels = LoadImage()(dict(img_path=sample.img_path))['img']
    return np.ascontiguousarray(pixels[..., ::-1])

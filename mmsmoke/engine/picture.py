import numpy as np
from torch import Tensor

from mmsmoke.datasets.transforms import LoadImage
from mmsmoke.structures import WeakSegDataSample


def picture(inputs: Tensor, sample: WeakSegDataSample) -> np.ndarray:
    """The image as its file has it, uint8 [H, W, 3] RGB, at the size of ``seg_scores``.

    Args:
        inputs: uint8 [3, h, w] BGR, as the loader gave them; the file is read again if the loader
            resized it.
    """
    if inputs.shape[1:] == sample.seg_scores.shape[1:]:
        pixels = inputs.permute(1, 2, 0).cpu().numpy()
    else:
        pixels = LoadImage().transform(dict(img_path=sample.img_path))['img']
    return np.ascontiguousarray(pixels[..., ::-1])

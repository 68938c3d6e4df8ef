import numpy as np
from torch import Tensor

from mmsmoke.registry import TRANSFORMS


def picture(inputs: Tensor, sample) -> np.ndarray:
    """The image of a sample at the size of its ``seg_scores``: RGB, uint8 [H, W, 3].

    Args:
        inputs: uint8 [3, h, w] BGR, as the loader gave them; where (h, w) differs from (H, W),
            the file is read again.
    """
    if inputs.shape[1:] == sample.seg_scores.shape[1:]:
        image = inputs.permute(1, 2, 0).cpu().numpy()
    else:
        load = TRANSFORMS.build(dict(type='mmsmoke.LoadImage'))
        image = load(dict(img_path=sample.img_path))['img']
    return np.ascontiguousarray(image[..., ::-1])

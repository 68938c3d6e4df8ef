import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from mmsmoke.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropWithMask(BaseTransform):
    """Crop and resize an image as mmpretrain's RandomResizedCrop does, and its mask with it.

    For classifiers that see some masks: that transform alone would leave the mask as it was. The
    image is the same, bit for bit, as without a mask.

    Args: as :class:`mmpretrain.datasets.RandomResizedCrop`.
    """

    def __init__(self, **kwargs):
        self.crop = TRANSFORMS.build(dict(type='mmpretrain.RandomResizedCrop', **kwargs))

    def transform(self, results: dict) -> dict:
        top, left, height, width = self.crop.rand_crop_params(results['img'])

        def cut(whole: np.ndarray, interpolation: str) -> np.ndarray:
            part = whole[top : top + height, left : left + width]
            settings = dict(interpolation=interpolation, backend=self.crop.backend)
            return mmcv.imresize(part, tuple(self.crop.scale[::-1]), **settings)

        results['img'] = cut(results['img'], self.crop.interpolation)
        results['img_shape'] = results['img'].shape[:2]
        if 'gt_seg_map' in results:
            results['gt_seg_map'] = cut(results['gt_seg_map'], 'nearest')
        return results

import cv2
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_random_params

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
        with cache_random_params(self.crop):
            top, left, height, width = self.crop.rand_crop_params(results['img'])
            results = self.crop(results)
        if 'gt_seg_map' in results:
            part = results['gt_seg_map'][top : top + height, left : left + width]
            size = tuple(self.crop.scale[::-1])
            results['gt_seg_map'] = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)
        return results

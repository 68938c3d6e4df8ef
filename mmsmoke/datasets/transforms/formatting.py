import numpy as np
import torch
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import PixelData

from mmsmoke.registry import TRANSFORMS
from mmsmoke.structures import WeakSegDataSample


@TRANSFORMS.register_module()
class PackWeakSegInputs(BaseTransform):
    """Packs image [3, H, W] and labels into ``inputs`` and a WeakSegDataSample.

    Args:
        meta_keys: what of the results goes along as meta information, where it exists.
    """

    def __init__(
        self,
        meta_keys=(
            'sample_idx', 'image', 'mask_name', 'row', 'columns', 'img_path', 'seg_map_path',
            'true_mask', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor', 'flip',
            'flip_direction', 'reduce_zero_label',
        ),
    ):  # fmt: skip
        self.meta_keys = meta_keys

    def transform(self, results: dict) -> dict:
        image = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        sample = WeakSegDataSample(
            metainfo={key: results[key] for key in self.meta_keys if key in results}
        )
        if 'gt_score' in results:
            sample.set_gt_score(torch.tensor(results['gt_score']))
            sample.set_gt_label(torch.tensor(results['gt_label'], dtype=torch.long))
        for source, target in (('gt_seg_map', 'gt_sem_seg'), ('gt_context', 'gt_context')):
            if source in results:
                data = to_tensor(results[source][None].astype(np.int64))
                setattr(sample, target, PixelData(data=data))
        return dict(inputs=to_tensor(image), data_samples=sample)

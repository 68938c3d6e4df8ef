import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile

from mmsmoke.functional import IGNORE
from mmsmoke.registry import TRANSFORMS
from mmsmoke.utils import DataError

from ..pictures import open_image, read_image, read_mask
from ..table import Row
from ..zones import zone_masks_of


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Load as mmcv's LoadImageFromFile; name the file and its row if it cannot be read.

    It decodes as :func:`~mmsmoke.datasets.pictures.read_image` does, unless mmcv's options ask for
    something else.
    """

    def __init__(self, imdecode_backend: str = 'pillow', to_float32: bool = False, **kwargs):
        super().__init__(to_float32, imdecode_backend=imdecode_backend, **kwargs)
        self.by_mmcv = imdecode_backend != 'pillow' or bool(kwargs)

    def transform(self, results: dict) -> dict:
        path, row = results['img_path'], results.get('row')
        if self.by_mmcv:
            with open_image(path, row):
                return super().transform(results)
        image = read_image(path, row)[..., ::-1]
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadMask(BaseTransform):
    """Add ``gt_seg_map`` [H, W], uint8.

    An image without any class has an empty mask by definition, so it needs no file. A labelled
    image without a file stays without a mask, and metrics leave it out; with ``required`` it is
    an error, for training on masks. Nothing is known of an image that comes without labels, as
    from mmseg's ``inference_model``.

    Areas that the data set ignores become 255.

    Place it after Resize in a test pipeline, so that the truth keeps its size.
    """

    def __init__(self, required: bool = False):
        self.required = required

    def transform(self, results: dict) -> dict:
        if 'seg_map_path' in results:
            results['gt_seg_map'] = read_mask(results['seg_map_path'])
        elif 'gt_score' in results and not any(results['gt_score']):
            results['gt_seg_map'] = np.zeros(results['ori_shape'], np.uint8)
        elif self.required:
            raise DataError(
                f"{results['img_path']}: no mask to learn from; set the data set's seg_map_dir "
                'to a folder of pseudo labels (or of true masks, for full supervision)'
            )
        if 'gt_seg_map' in results:
            if 'ignored' in results:
                results['gt_seg_map'] = _without_ignored(results['gt_seg_map'], results)
            results.setdefault('seg_fields', []).append('gt_seg_map')
        return results


def _without_ignored(mask: np.ndarray, results: dict) -> np.ndarray:
    row = Row(results['row'], results['image'], '', (), results['columns'])
    height, width = mask.shape
    _, ignored = zone_masks_of(results['ignored'], row, width, height)
    return np.where(ignored, np.uint8(IGNORE), mask)


@TRANSFORMS.register_module()
class LoadContext(BaseTransform):
    """Add ``gt_context`` [H, W], uint8: where the co-occurring objects are. For metrics only."""

    def transform(self, results: dict) -> dict:
        if 'context_path' in results:
            results['gt_context'] = read_mask(results['context_path'])
        return results

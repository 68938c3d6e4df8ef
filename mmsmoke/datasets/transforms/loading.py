import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from PIL import Image

from mmsmoke.registry import TRANSFORMS
from mmsmoke.utils import DataError


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """mmcv's LoadImageFromFile that names the file and its row if it cannot be read.

    It decodes with Pillow: OpenCV fills the lost part of a truncated JPEG with grey and goes on.
    """

    def __init__(self, imdecode_backend: str = 'pillow', **kwargs):
        super().__init__(imdecode_backend=imdecode_backend, **kwargs)

    def transform(self, results: dict) -> dict:
        try:
            with Image.open(results['img_path']) as file:
                # Pillow would cut off all that is brighter than 255
                if file.mode[0] in 'IF':
                    raise DataError('more than 8 bits a pixel; convert it to 8 bits')
            return super().transform(results)
        except Exception as error:
            row = f' (labels.csv row {results["row"]})' if 'row' in results else ''
            raise DataError(
                f'{results["img_path"]}{row}: image cannot be read: {reason_of(error)}'
            ) from error


@TRANSFORMS.register_module()
class LoadMask(BaseTransform):
    """Adds ``gt_seg_map`` [H, W], uint8.

    An image without any class has an empty mask by definition, so it needs no file. A labelled
    image without a file stays without a mask, and metrics leave it out; with ``required`` it is
    an error, for training on masks. Nothing is known of an image that comes without labels, as
    from mmseg's ``inference_model``.

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
            results.setdefault('seg_fields', []).append('gt_seg_map')
        return results


@TRANSFORMS.register_module()
class LoadContext(BaseTransform):
    """Adds ``gt_context`` [H, W], uint8: where the co-occurring objects are. For metrics only."""

    def transform(self, results: dict) -> dict:
        if 'context_path' in results:
            results['gt_context'] = read_mask(results['context_path'])
        return results


def read_mask(path: str) -> np.ndarray:
    """Values of an 8-bit mask; those of a palette PNG are its indices."""
    try:
        with Image.open(path) as file:
            return np.array(file)
    except Exception as error:
        raise DataError(f'{path}: mask cannot be read: {reason_of(error)}') from error


def reason_of(error: Exception) -> str:
    """Returns in one line why a picture cannot be read."""
    if isinstance(error, Image.DecompressionBombError):
        most = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        return f'more than {most:.0f} million pixels, which is too large; save it smaller'
    return str(error).splitlines()[0] if str(error) else type(error).__name__

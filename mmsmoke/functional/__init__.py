from .cam import IGNORE, cams_to_scores, normalize_cams, scores_to_mask
from .iou import THRESHOLDS, image_mean_iou, mask_counts, pooled_iou, threshold_counts

__all__ = [
    'IGNORE',
    'THRESHOLDS',
    'cams_to_scores',
    'image_mean_iou',
    'mask_counts',
    'normalize_cams',
    'pooled_iou',
    'scores_to_mask',
    'threshold_counts',
]

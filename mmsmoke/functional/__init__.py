from .attention import attention_affinity, box_mask, propagate, sinkhorn
from .cam import (
    FUSIONS,
    IGNORE,
    background_scores,
    cams_to_scores,
    fuse_cams,
    merge_views,
    normalize_cams,
    resize_maps,
    scores_to_mask,
    threshold_of_power,
)
from .crf import CRF_PRESETS, CRFSettings, dense_crf, label_probs
from .iou import (
    THRESHOLDS,
    image_mean_iou,
    mask_counts,
    oracle_iou,
    pooled_iou,
    threshold_counts,
)
from .transfer import transfer_distance

__all__ = [
    'CRF_PRESETS',
    'FUSIONS',
    'IGNORE',
    'THRESHOLDS',
    'CRFSettings',
    'attention_affinity',
    'background_scores',
    'box_mask',
    'cams_to_scores',
    'dense_crf',
    'fuse_cams',
    'image_mean_iou',
    'label_probs',
    'mask_counts',
    'merge_views',
    'normalize_cams',
    'oracle_iou',
    'pooled_iou',
    'propagate',
    'resize_maps',
    'scores_to_mask',
    'sinkhorn',
    'threshold_counts',
    'threshold_of_power',
    'transfer_distance',
]

from .affinity import (
    affinity_labels,
    affinity_losses,
    agreed_labels,
    boundary_affinity,
    confident_labels,
    feature_affinity,
    pair_offsets,
    random_walk,
)
from .attention import attention_affinity, box_mask, propagate, sinkhorn
from .cam import (
    FUSIONS,
    IGNORE,
    background_scores,
    cams_to_scores,
    fuse_cams,
    label_scores,
    logits_to_scores,
    merge_views,
    normalize_cams,
    resize_maps,
    scores_to_mask,
    strongest,
    threshold_of_power,
)
from .cooccurrence import confusion_counts, energy_share, points_at, two_causes
from .crf import CRF_PRESETS, CRFSettings, dense_crf, label_probs
from .iou import (
    EMPTY_TRUTH,
    THRESHOLDS,
    image_iou,
    image_mean_iou,
    iou_of,
    mask_counts,
    oracle_iou,
    pooled_iou,
    threshold_counts,
)
from .statistics import bootstrap_interval, holm, paired_test
from .transfer import transfer_distance

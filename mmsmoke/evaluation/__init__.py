from .class_thresholds import ClassThresholds
from .companion_metric import CompanionMetric
from .counterfactual_metric import CounterfactualMetric
from .known_iou_metric import KnownIoUMetric
from .label_accuracy import LabelAccuracy
from .otsu_threshold import OtsuThreshold
from .pseudo_label_metric import PseudoLabelMetric
from .refinement_metric import RefinementMetric

from .known_iou_metric import KnownIoUMetric
from .label_accuracy import LabelAccuracy
from .pseudo_label_metric import PseudoLabelMetric
from .refinement_metric import RefinementMetric

__all__ = ['KnownIoUMetric', 'LabelAccuracy', 'PseudoLabelMetric', 'RefinementMetric']

from .known_iou_metric import KnownIoUMetric
from .label_accuracy import LabelAccuracy
from .pseudo_label_metric import PseudoLabelMetric

__all__ = ['KnownIoUMetric', 'LabelAccuracy', 'PseudoLabelMetric']

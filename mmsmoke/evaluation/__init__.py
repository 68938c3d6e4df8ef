from .label_accuracy import LabelAccuracy
from .pseudo_label_metric import PseudoLabelMetric

__all__ = ['LabelAccuracy', 'PseudoLabelMetric']

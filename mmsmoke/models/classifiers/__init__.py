from .acr_classifier import ACRClassifier
from .cam_classifier import CAMClassifier
from .cross_arch_distiller import CrossArchDistiller
from .seam import SEAM

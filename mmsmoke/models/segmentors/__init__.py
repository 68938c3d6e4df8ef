from .mean_tta import MeanTTA
from .sam_segmentor import SAMSegmentor

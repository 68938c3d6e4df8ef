from .mean_tta import MeanTTA
from .multi_scale_encoder_decoder import MultiScaleEncoderDecoder
from .sam_segmentor import SAMSegmentor

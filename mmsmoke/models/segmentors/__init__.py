from .mean_tta import MeanTTA
from .multi_scale_encoder_decoder import MultiScaleEncoderDecoder
from .mutual import MutualSegmentor
from .sam_segmentor import SAMSegmentor
from .single_stage import SingleStageSegmentor

from .affinity_head import AffinityHead
from .boundary_affinity_head import BoundaryAffinityHead
from .cam_head import CAMHead
from .cls_head import CLSHead
from .diversified_head import DiversifiedHead
from .doubling_head import DoublingHead
from .feature_affinity_head import FeatureAffinityHead
from .pcm_head import PCMHead

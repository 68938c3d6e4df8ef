from .affinity import AffinityRefiner
from .affinity_net import AffinityNet
from .clip import CLIPRefiner
from .clip_es import CLIPES
from .crf import CRFRefiner
from .dense_crf import DenseCRF
from .par import PAR
from .refiner import Refiner, build_refiner, refine_all
from .sam import SAMRefiner
from .sam_proposals import SAMProposals

from .affinity_net import AffinityNet
from .clip_es import CLIPES
from .sam_proposals import SAMProposals

__all__ = ['CLIPES', 'AffinityNet', 'SAMProposals']

from .dense_crf import DenseCRF
from .sam_proposals import SAMProposals

__all__ = ['DenseCRF', 'SAMProposals']

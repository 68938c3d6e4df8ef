from .sam_proposals import SAMProposals

__all__ = ['SAMProposals']

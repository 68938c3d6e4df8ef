from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .pseudo_label_hook import PseudoLabelHook, read_scores
from .refine_hook import RefineHook
from .sam_hook import SAMHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'AtomicCheckpointHook',
    'PseudoLabelHook',
    'RefineHook',
    'SAMHook',
    'StepSeedHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

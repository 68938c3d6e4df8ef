from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .pseudo_label_hook import PseudoLabelHook, read_scores
from .step_seed_hook import StepSeedHook

__all__ = [
    'AtomicCheckpointHook',
    'PseudoLabelHook',
    'StepSeedHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

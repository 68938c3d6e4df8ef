from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .pseudo_label_hook import PseudoLabelHook, read_scores

__all__ = [
    'AtomicCheckpointHook',
    'PseudoLabelHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .clip_hook import CLIPHook
from .pseudo_label_hook import PseudoLabelHook, read_scores
from .refine_hook import RefineHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'AtomicCheckpointHook',
    'CLIPHook',
    'PseudoLabelHook',
    'RefineHook',
    'StepSeedHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

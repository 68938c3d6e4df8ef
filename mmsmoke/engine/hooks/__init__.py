from .affinity_hook import AffinityHook
from .affinity_label_hook import AffinityLabelHook
from .boundary_label_hook import BoundaryLabelHook
from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .confident_label_hook import ConfidentLabelHook
from .pseudo_label_hook import PseudoLabelHook, read_scores
from .refine_hook import RefineHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'AffinityHook',
    'AffinityLabelHook',
    'AtomicCheckpointHook',
    'BoundaryLabelHook',
    'ConfidentLabelHook',
    'PseudoLabelHook',
    'RefineHook',
    'StepSeedHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

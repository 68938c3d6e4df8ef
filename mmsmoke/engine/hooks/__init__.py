from .cam_fusion_hook import CAMFusionHook
from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .clip_hook import CLIPHook
from .crf_hook import CRFHook
from .pseudo_label_hook import PseudoLabelHook, read_scores
from .refine_hook import RefineHook
from .sam_hook import SAMHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'AtomicCheckpointHook',
    'CAMFusionHook',
    'CLIPHook',
    'CRFHook',
    'PseudoLabelHook',
    'RefineHook',
    'SAMHook',
    'StepSeedHook',
    'best_checkpoint',
    'latest_checkpoint',
    'read_scores',
]

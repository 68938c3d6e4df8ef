from .affinity_hook import AffinityHook
from .affinity_label_hook import AffinityLabelHook
from .boundary_label_hook import BoundaryLabelHook
from .cam_fusion_hook import CAMFusionHook
from .checkpoint_hook import AtomicCheckpointHook, best_checkpoint, latest_checkpoint
from .clip_hook import CLIPHook
from .confident_label_hook import ConfidentLabelHook
from .crf_hook import CRFHook
from .false_positive_centres_hook import FalsePositiveCentresHook
from .label_preview_hook import LabelPreviewHook
from .progress_hook import ProgressHook
from .pseudo_label_hook import PseudoLabelHook
from .refine_hook import RefineHook
from .sam_hook import SAMHook
from .step_seed_hook import StepSeedHook

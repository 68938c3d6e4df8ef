from .attention_cam import AttentionCAM
from .attention_grad_cam import AttentionGradCAM
from .attention_rollout import AttentionRollout
from .combined import CombinedCAM
from .correlated import CorrelatedCAM
from .grad_cam import GradCAM
from .gradient_weighted import GradCAMPlusPlus, LayerCAM
from .linear import LinearCAM, ProjectionCAM
from .multi_scale import MultiScaleCAM
from .score_cam import ScoreCAM

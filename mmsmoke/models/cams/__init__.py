from .combined import CombinedCAM
from .correlated import CorrelatedCAM
from .grad_cam import GradCAM
from .linear import LinearCAM, ProjectionCAM
from .multi_scale import MultiScaleCAM

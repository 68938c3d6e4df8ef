from .grad_cam import GradCAM
from .linear import LinearCAM
from .multi_scale import MultiScaleCAM
from .projection import ProjectionCAM

from .backbones import *  # noqa: F403
from .cams import *  # noqa: F403
from .classifiers import *  # noqa: F403
from .heads import *  # noqa: F403
from .losses import *  # noqa: F403
from .necks import *  # noqa: F403
from .refiners import *  # noqa: F403
from .segmentors import *  # noqa: F403

from .classifiers import *  # noqa: F403
from .heads import *  # noqa: F403

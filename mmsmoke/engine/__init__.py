from .hooks import *  # noqa: F403
from .loops import *  # noqa: F403
from .optim_constructor import LearnableOptimWrapperConstructor
from .optim_wrapper import AutocastOptimWrapper
from .runner import ScreenRunner

__all__ = ['AutocastOptimWrapper', 'LearnableOptimWrapperConstructor', 'ScreenRunner']

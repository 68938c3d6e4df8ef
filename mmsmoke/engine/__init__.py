from .hooks import *
from .loops import *
from .optim_constructor import LearnableOptimWrapperConstructor
from .optim_wrapper import AutocastOptimWrapper
from .runner import ScreenRunner

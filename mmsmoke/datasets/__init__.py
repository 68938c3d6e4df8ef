from .transforms import *  # noqa: F403
from .weak_seg import WeakSegDataset

__all__ = ['WeakSegDataset']

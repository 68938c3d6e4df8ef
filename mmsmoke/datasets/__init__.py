from .ijmond import IJmondDataset
from .rise import RISEDataset
from .smoke5k import Smoke5KDataset
from .transforms import *  # noqa: F403
from .weak_seg import WeakSegDataset

__all__ = ['IJmondDataset', 'RISEDataset', 'Smoke5KDataset', 'WeakSegDataset']

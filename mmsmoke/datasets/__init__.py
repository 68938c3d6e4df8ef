from .ijmond import IJmondDataset
from .rise import RISEDataset
from .smoke5k import Smoke5KDataset
from .transforms import *
from .weak_seg import WeakSegDataset

from mmsmoke.registry import DATASETS

from .table import OPACITIES
from .weak_seg import WeakSegDataset


@DATASETS.register_module()
class IJmondDataset(WeakSegDataset):
    """Read the steel works at IJmuiden, as ``tools/dataset_converters/ijmond_*.py`` write it.

    Columns besides those of every data set: ``camera``, ``group`` (what is in one split only)
    and, by source, ``panorama``, ``view``, ``x``, ``y``, ``side``, ``t2``, or ``view``, ``video``,
    ``frame``, ``boxes``.

    Args:
        opacities: smoke of high and of low opacity as two classes; converted with
            ``--opacity classes``.
        others: of :class:`WeakSegDataset`.
    """

    def __init__(self, data_root: str = 'data/ijmond-clean', opacities: bool = False, **others):
        if opacities:
            others['classes'] = OPACITIES
        super().__init__(data_root, **others)

from mmsmoke.registry import DATASETS

from .table import SYNTHETIC
from .weak_seg import WeakSegDataset


@DATASETS.register_module()
class Smoke5KDataset(WeakSegDataset):
    """Read SMOKE5K, as ``tools/dataset_converters/smoke5k.py`` writes it.

    Columns besides those of every data set: ``kind`` (of source), ``leak`` (shows a
    scene of the official train part) and ``group`` (the scene).

    Args:
        synthetic: with the composites.
        others: of :class:`WeakSegDataset`.
    """

    def __init__(self, data_root: str = 'data/smoke5k', synthetic: bool = True, **others):
        self.synthetic = synthetic
        super().__init__(data_root, **others)

    def _wanted(self, columns: dict[str, str]) -> bool:
        composite = dict(kind=SYNTHETIC)
        if not self.synthetic and self._fits(columns, composite, 'synthetic=False'):
            return False
        return super()._wanted(columns)

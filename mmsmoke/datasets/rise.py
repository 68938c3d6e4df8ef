from mmsmoke.registry import DATASETS
from mmsmoke.utils import DataError

from .weak_seg import WeakSegDataset


@DATASETS.register_module()
class RISEDataset(WeakSegDataset):
    """Read RISE, as ``tools/dataset_converters/rise.py`` writes it; there are no masks.

    Columns besides those of every data set: ``camera``, ``date``, ``clip``, ``group`` and, of
    the official splits, ``weight``.

    Args:
        min_weight: leave out the clips about which people agreed less; 1 keeps those alone that
            nobody doubted.
        others: of :class:`WeakSegDataset`.
    """

    def __init__(self, data_root: str = 'data/rise', min_weight: float | None = None, **others):
        self.min_weight = min_weight
        super().__init__(data_root, **others)

    def _wanted(self, columns: dict[str, str]) -> bool:
        if self.min_weight is not None:
            try:
                weight = float(columns['weight'])
            except (KeyError, ValueError) as error:
                raise DataError(
                    f'{self.data_root}: min_weight needs a weight in each row; only the official '
                    'splits have weights (tools/dataset_converters/rise.py --official)'
                ) from error
            if weight < self.min_weight:
                return False
        return super()._wanted(columns)

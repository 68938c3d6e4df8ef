from mmsmoke.registry import DATASETS

from .class_names import COCO_CLASSES
from .pictures import voc_palette
from .weak_seg import WeakSegDataset


@DATASETS.register_module()
class COCODataset(WeakSegDataset):
    """Read COCO 2014 with masks of 80 classes.

    ``tools/dataset_converters/coco2014.py`` writes it. Splits are ``train`` and ``val``.
    """

    METAINFO = dict(
        classes=('background', *COCO_CLASSES), palette=voc_palette(len(COCO_CLASSES) + 1)
    )

from mmsmoke.registry import DATASETS

from .class_names import VOC_CLASSES
from .pictures import voc_palette
from .weak_seg import WeakSegDataset


@DATASETS.register_module()
class VOCDataset(WeakSegDataset):
    """Read PASCAL VOC 2012, as ``tools/dataset_converters/voc.py`` writes it.

    Splits are ``train`` (with SBD's masks the 10,582 images of train_aug) and ``val``. A column
    besides those of every data set: ``source`` (``voc`` or ``sbd``, by whom the mask is).
    ``split='train', filter_cfg=dict(source='voc')`` is VOC's own train part.
    """

    METAINFO = dict(classes=('background', *VOC_CLASSES), palette=voc_palette(len(VOC_CLASSES) + 1))

import copy
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmcv.transforms import LoadAnnotations
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmsmoke.registry import DATASETS
from mmsmoke.utils import DataError

from .few_masks import check_choice, choose_masks, contradictions, record_of
from .labels import label_of
from .masks import mask_problems
from .pictures import make_palette
from .table import TABLE, balance_problems, choose_split, group_of, lot_of, read_table, spread
from .transforms.loading import LoadMask
from .zones import ViewPolygons


@DATASETS.register_module()
class WeakSegDataset(BaseDataset):
    """Read images with image-level labels in the standard layout, for all three stages.

    ::

        data_root/labels.csv   image,split,smoke[,more classes][,any other columns]
        data_root/images/      data_root/masks/ (optional truth)   data_root/context/ (optional)

    ``metainfo['classes']`` names the mask values: background first, then the K foreground
    classes. Class k of the classifier has mask value k + 1.

    Args:
        data_root: folder with labels.csv.
        split: one name from the column ``split``, or several.
        classes: columns of labels.csv that are classes; by default those of ``metainfo``.
        seg_map_dir: folder of masks to learn from, usually pseudo labels; taken from where the
            command runs, like a work_dir. Without it, a training set has no masks at all: true
            masks reach metrics and reports only (``test_mode=True``). For full supervision say
            ``'{data_root}/masks'``.
        filter_cfg: keeps the rows whose columns have these values, as in
            ``dict(smoke=1, camera=['north', 'south'])``. Labels are compared as such, whichever
            words labels.csv has for them.
        unlabelled: rows whose columns have these values come without labels, whatever stands in
            labels.csv: ``dict(split='target')``, or ``dict(unlabelled=1)`` for a column of that
            name. Their labels are NaN; only a training set has such images.
        portion: of the images, by lot: ``(0, 0.8)`` and ``(0.8, 1)`` are four fifths and the rest,
            the same in every run. Images of one group stay together.
        num_images: exactly so many of the rows that are left, evenly spread; an error if there
            are fewer.
        at_least: repeat the images until there are so many: an epoch of few has enough steps.
        num_masks: so many true masks of images that hold a class may be learned from, by lot, as
            few as possible of one group. Items then say whether theirs is a ``true_mask``; all
            other masks are those of ``seg_map_dir``, if that is given. Only the split ``train``
            has true masks to learn from.
        mask_seed: of that lot. The masks of a smaller number are among those of a larger one.
        beside: what stands beside the images with a true mask: ``all`` others of the split;
            ``clear``, those that are labelled clear, whose masks are empty by definition; or
            ``nothing``, which leaves out what image labels tell. Only with num_masks.
        ignored: file of zones, see :mod:`mmsmoke.datasets.zones`: its ignored areas are 255 in the
            truth, so that metrics leave them out. ``'{data_root}/zones.json'`` lies beside the
            table. Only with ``test_mode=True``.
        check_masks: look at size and values of all masks in use before anything starts.
        metainfo, indices, lazy_init, test_mode, …: as in mmengine's BaseDataset.

    Example:
        >>> train = WeakSegDataset('data/smokestack', split='train')  # doctest: +SKIP
        >>> train.get_data_info(0)['gt_score']  # doctest: +SKIP
        [1.0]
    """

    METAINFO = dict(classes=('background', 'smoke'), palette=make_palette(2))

    def __init__(
        self,
        data_root: str,
        split: str | Sequence[str] = 'train',
        classes: Sequence[str] | None = None,
        seg_map_dir: str | None = None,
        num_images: int | None = None,
        at_least: int | None = None,
        portion: tuple[float, float] = (0, 1),
        unlabelled: Mapping | None = None,
        num_masks: int | None = None,
        mask_seed: int = 0,
        beside: str = 'all',
        ignored: str | None = None,
        metainfo: dict | None = None,
        check_masks: bool = True,
        **kwargs,
    ):
        if 'seg_map_path' in (kwargs.get('data_prefix') or {}):
            raise DataError(
                "data_prefix.seg_map_path is mmseg's: a WeakSegDataset reads masks from "
                'seg_map_dir, which tools/train.py CONFIG --masks DIR sets'
            )
        if unlabelled and kwargs.get('test_mode'):
            raise DataError('unlabelled is for training: metrics compare with labels')
        if ignored and not kwargs.get('test_mode'):
            raise DataError('ignored is for metrics: masks to learn from hold 255 themselves')
        if at_least and kwargs.get('test_mode'):
            raise DataError('at_least is for training: metrics see each image once')
        check_choice(num_masks, beside, split, kwargs.get('test_mode', False))
        metainfo = copy.copy(metainfo or {})
        if classes is not None:
            metainfo['classes'] = ('background', *classes)
        names = metainfo.get('classes', self.METAINFO['classes'])
        if len(metainfo.get('palette', self.METAINFO['palette'])) != len(names):
            metainfo['palette'] = make_palette(len(names))
        self.split, self.seg_map_dir = split, seg_map_dir
        self.num_images, self.at_least = num_images, at_least or 0
        self.portion, self.unlabelled = portion, unlabelled
        self.num_masks, self.mask_seed, self.beside = num_masks, mask_seed, beside
        self.true_masks, self.epoch_length = None, None
        self.ignored, self._polygons = ignored, None
        self.check_masks = check_masks
        super().__init__(data_root=data_root, metainfo=metainfo, **kwargs)
        self._require_loaded_masks()

    def _require_loaded_masks(self) -> None:
        """Raise if masks are to be learned from that the pipeline does not load."""
        steps = self.pipeline.transforms
        if self.test_mode or not steps or not (self.seg_map_dir or self.num_masks):
            return
        if not any(isinstance(step, LoadMask | LoadAnnotations) for step in steps):
            setting = 'seg_map_dir' if self.seg_map_dir else 'num_masks'
            raise DataError(
                f'{setting} says which masks to learn from, but the pipeline loads none: it needs '
                "dict(type='mmsmoke.LoadMask'); a one-stage segmentor, which makes its masks "
                'itself, needs no folder of masks'
            )

    @property
    def label_classes(self) -> tuple[str, ...]:
        """Return the K foreground classes, without the background."""
        return tuple(self._metainfo['classes'][1:])

    def load_data_list(self) -> list[dict]:
        if self.ignored is not None:
            self._polygons = ViewPolygons.read(self._in_root(self.ignored))
        rows, problems = read_table(self.data_root, self.label_classes)
        self._raise(problems)
        rows = choose_split(rows, self.split)
        rows = [row for row in rows if self._wanted(row.columns) and self._drawn(row)]
        if not rows:
            raise DataError(
                f'{self.data_root}: no row of split {self.split!r} fits filter_cfg and portion'
            )
        if self.num_images is not None:
            if not 0 < self.num_images <= len(rows):
                raise DataError(
                    f'{self.data_root}: {self.num_images} images of split {self.split!r} are '
                    f'wanted, {len(rows)} are there'
                )
            rows = [rows[place] for place in spread(len(rows), self.num_images)]
        if not (self.test_mode or self.seg_map_dir or self.filter_cfg or self.beside != 'all'):
            labelled = [row for row in rows if not self._is_unlabelled(row)]
            self._raise(list(balance_problems(labelled, self.label_classes, self.split)))
        masks = self._mask_folder() if self.beside == 'all' else None
        if self.num_masks is not None:
            rows = self._choose_true_masks(rows, masks)
        if masks is not None and self.check_masks:
            others = [row for row in rows if not self._is_true(row)]
            self._raise(mask_problems(self.data_root, masks, others, len(self.label_classes)))
        return [self._data_info(row, masks) for row in rows] * self._times(rows)

    def _times(self, rows: list) -> int:
        """Return how often the images come, so that there are ``at_least`` as many as asked for."""
        return max(1, math.ceil(self.at_least / len(rows)))

    def _choose_true_masks(self, rows: list, masks: Path | None) -> list:
        """Choose what ``num_masks`` asks for; return the rows that stay."""
        root, truth = Path(self.data_root), self._truth()
        if masks == truth:
            raise DataError(
                f'seg_map_dir {masks} holds the true masks of all images, of which num_masks='
                f"{self.num_masks} shall be seen: say seg_map_dir=None and beside='nothing' or "
                "'clear', or name a folder of pseudo masks"
            )
        labelled = [row for row in rows if not self._is_unlabelled(row)]
        lot = choose_masks(root, truth, labelled, self.num_masks, self.mask_seed)
        clear = [row for row in labelled if not any(row.labels)]
        if self.check_masks:
            self._raise(mask_problems(root, truth, lot, len(self.label_classes)))
            self._raise(list(contradictions(truth, [*lot, *clear], self.label_classes)))
        self.true_masks = record_of(truth, lot, self.mask_seed)
        if len(lot) > 1 and self.true_masks['groups'] == 1:
            group = group_of(lot[0].columns, lot[0].image)
            print_log(
                f'all {len(lot)} true masks show one group of images, {group}: what is learned '
                'from them may hold for that scene alone',
                logger='current',
                level=logging.WARNING,
            )
        if self.beside == 'all':
            return rows
        self.epoch_length = len(rows) * self._times(rows)
        kept = {row.image for row in (lot if self.beside == 'nothing' else [*lot, *clear])}
        return [row for row in rows if row.image in kept]

    def _is_true(self, row) -> bool:
        return self.true_masks is not None and row.image in self.true_masks['images']

    def _mask_folder(self) -> Path | None:
        if self.seg_map_dir is not None:
            folder, truth = self._in_root(self.seg_map_dir), self._truth()
            if not folder.is_dir():
                raise DataError(
                    f'seg_map_dir {folder} does not exist; '
                    'tools/make_pseudo_labels.py makes such folders'
                )
            return truth if folder.resolve() == truth.resolve() else folder
        return self._truth() if self.test_mode else None

    def _in_root(self, path: str) -> Path:
        return Path(path.replace('{data_root}', str(self.data_root)))

    def _truth(self) -> Path:
        return Path(self.data_root) / 'masks'

    def _data_info(self, row, masks: Path | None) -> dict:
        unlabelled = self._is_unlabelled(row)
        info = dict(
            img_path=str(Path(self.data_root) / row.image),
            image=row.image,
            mask_name=row.mask_name,
            row=row.number,
            columns=row.columns,
            gt_label=[k for k, value in enumerate(row.labels) if value and not unlabelled],
            gt_score=[math.nan if unlabelled else float(value) for value in row.labels],
            # what mmseg's transforms ask for
            label_map=None,
            reduce_zero_label=False,
            seg_fields=[],
        )
        if self.num_masks is not None:
            info['true_mask'] = self._is_true(row)
        masks = self._truth() if info.get('true_mask') else masks
        mask = masks / row.mask_name if masks else None
        if mask is not None and mask.is_file():
            info['seg_map_path'] = str(mask)
        elif masks and self.seg_map_dir and (any(row.labels) or masks != self._truth()):
            raise DataError(f'{mask} not found: no mask for {row.where}')
        if self._polygons is not None:
            info['ignored_path'] = str(self._in_root(self.ignored))
        context = Path(self.data_root) / 'context' / row.mask_name
        if self.test_mode and context.is_file():
            info['context_path'] = str(context)
        return info

    def _wanted(self, columns: dict[str, str]) -> bool:
        return self._fits(columns, self.filter_cfg or {})

    def _drawn(self, row) -> bool:
        first, last = self.portion
        return first <= lot_of(row.columns, row.image) < last

    def _is_unlabelled(self, row) -> bool:
        return bool(self.unlabelled) and self._fits(row.columns, self.unlabelled, 'unlabelled')

    def _fits(self, columns: dict[str, str], wanted: Mapping, setting: str = 'filter_cfg') -> bool:
        for name, values in wanted.items():
            if name not in columns:
                raise DataError(f'{setting}: {self.data_root}/{TABLE} has no column {name!r}')
            values = values if isinstance(values, list | tuple | set) else [values]
            if name in self.label_classes:
                values = [self._filter_label(setting, name, value) for value in values]
            if columns[name] not in map(str, values):
                return False
        return True

    def _filter_label(self, setting: str, name: str, value: object) -> int:
        try:
            return label_of(value)
        except DataError as error:
            raise DataError(f'{setting}: {name} {error}') from error

    def _raise(self, problems: list[str]) -> None:
        if problems:
            more = f' (and {len(problems) - 1} more)' if len(problems) > 1 else ''
            raise DataError(
                f'{self.data_root}: {problems[0]}{more}. '
                f'python tools/check_dataset.py {self.data_root} lists all'
            )

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        if self._polygons is not None:
            info['ignored'] = self._polygons
        return info

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the present classes, for mmengine's ClassBalancedDataset."""
        return self.get_data_info(idx)['gt_label']


def spread_positives(dataset, most: int) -> list[int]:
    """Choose indices of images that hold a class, evenly spread, without a look at results."""
    positive = [i for i in range(len(dataset)) if any(dataset.get_data_info(i)['gt_score'])]
    return [positive[place] for place in spread(len(positive), most)]

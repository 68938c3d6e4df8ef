import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from logging import Logger
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.structures import PixelData
from PIL import Image
from torch import Tensor

from mmsmoke.datasets.pictures import read_mask
from mmsmoke.functional import IGNORE, scores_to_mask, threshold_of_power
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError, atomic_path, plain_numbers, save_png
from mmsmoke.utils.thresholds import Threshold, Value, check_threshold, in_order, in_words
from mmsmoke.version import __version__

from ..loops.pseudo_label_loop import require_label_loop

THRESHOLD = 0.3


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Threshold ``seg_scores`` and write the pseudo labels; the last hook of a label run.

    It writes into the work_dir: ``masks/`` (palette PNG, same names as the images),
    ``scores/`` if asked for, and ``manifest.json`` at the end.

    Args:
        threshold: a pixel is foreground if its best score is greater; a dict has that of each
            class by its name, see :func:`~mmsmoke.functional.scores_to_mask`.
        threshold_mode: how the threshold was found, for the manifest, see
            :class:`~mmsmoke.utils.thresholds.Threshold`.
        threshold_split: the split it was chosen on, if it was.
        score_stride: keep soft scores too, averaged over squares of so many pixels, as 8-bit
            PNG; the maps of several classes stand one below the other. None keeps none.
        background_power: instead of a threshold: a pixel is foreground if its best score is
            greater than ``(1 - best) ** background_power``.
        ignore_above: pixels whose best score lies above this but not above the threshold become
            255, which no segmentor learns from (AFA: 0.35 with a threshold of 0.55).
        agree_with: folder of other masks of these images; pixels that are something else there
            become 255. In self-training: of the masks that the segmentor has learned from.

    A refiner that has decided on the label map itself (``pred_sem_seg``) has the last word.
    """

    priority = 'LOW'

    def __init__(
        self,
        threshold: Value = THRESHOLD,
        threshold_mode: str = 'fixed',
        threshold_split: str | None = None,
        score_stride: int | None = None,
        background_power: float | None = None,
        ignore_above: Value | None = None,
        agree_with: str | None = None,
    ):
        if background_power is not None:
            if (threshold, threshold_mode) != (THRESHOLD, 'fixed'):
                raise UserError(
                    f'give threshold or background_power, not both: got {threshold} '
                    f'({threshold_mode}) and {background_power}'
                )
            if background_power <= 0:
                raise UserError(f'background_power must be positive, got {background_power}')
            threshold = threshold_of_power(background_power)
        check_threshold(threshold)
        if ignore_above is not None and not _is_below(ignore_above, threshold):
            raise UserError(
                f'ignore_above must be in [0, {threshold}], the threshold, got {ignore_above}'
            )
        if score_stride is not None and score_stride < 1:
            raise UserError(f'score_stride must be at least 1, got {score_stride}')
        self.threshold, self.ignore_above = threshold, ignore_above
        self.protocol = dict(
            **Threshold(threshold, threshold_mode, threshold_split).protocol(),
            background_power=background_power,
            ignore_above=ignore_above,
        )
        if agree_with:
            self.protocol['agreement'] = True
        self.score_stride = score_stride
        self.agree_with = agree_with and Path(agree_with)

    def before_test(self, runner) -> None:
        require_label_loop(self, runner)
        self.palette = runner.test_dataloader.dataset.metainfo['palette']
        classes = runner.test_dataloader.dataset.metainfo['classes'][1:]
        self.levels = [
            None if value is None else in_order(value, classes)
            for value in (self.threshold, self.ignore_above)
        ]
        self.folder = Path(runner.work_dir)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        for sample in outputs:
            if 'pred_sem_seg' not in sample:
                mask = scores_to_mask(sample.seg_scores, *self.levels)
                sample.pred_sem_seg = PixelData(data=mask[None])
            if self.agree_with:
                sample.pred_sem_seg.data[0][self._others(sample)] = IGNORE
            mask = sample.pred_sem_seg.data[0].cpu().numpy()
            mask_path = self.folder / 'masks' / sample.mask_name
            save_png(mask_path, mask.astype(np.uint8), self.palette)
            if self.score_stride:
                path = self.folder / 'scores' / sample.mask_name
                save_scores(path, sample.seg_scores, self.score_stride)
            sample.record = dict(
                image=sample.image,
                mask=f'masks/{sample.mask_name}',
                label=sample.present().int().tolist(),
                probability=[round(p, 4) for p in _probabilities(sample).tolist()],
                foreground=round(float(((mask > 0) & (mask != IGNORE)).mean()), 6),
                ignored=round(float((mask == IGNORE).mean()), 6),
            )

    def _others(self, sample) -> Tensor:
        """Return where the other mask of a sample says something else, bool [H, W]."""
        mask = sample.pred_sem_seg.data[0]
        path = self.agree_with / sample.mask_name
        if not path.is_file():
            raise UserError(f'{path}, a mask to agree with, not found')
        other = torch.from_numpy(read_mask(path)).to(mask.device)
        if other.shape != mask.shape:
            raise UserError(
                f'{path} has {list(other.shape)} pixels, its image {list(mask.shape)}: is it of '
                'the same data?'
            )
        return mask != other

    @master_only
    def after_test_epoch(self, runner, metrics=None) -> None:
        dataset = runner.cfg.test_dataloader['dataset']
        header = dict(
            version=__version__,
            written=datetime.now(timezone.utc).isoformat(timespec='seconds'),
            data_root=str(dataset['data_root']),
            split=dataset.get('split'),
            classes=list(runner.test_dataloader.dataset.metainfo['classes']),
            protocol=dict(**self.protocol, normalize=runner.test_loop.normalize),
            score_stride=self.score_stride,
            metrics=plain_numbers(metrics or {}),
            curves=_curves(runner.test_loop.evaluator),
            settings=runner.test_loop.settings,
        )
        records = runner.test_loop.journal.manifest_records()
        lines = ',\n'.join('  ' + json.dumps(record) for record in records)
        text = json.dumps(header, indent=1).removesuffix('\n}')
        with atomic_path(self.folder / 'manifest.json') as path:
            path.write_text(f'{text},\n "images": [\n{lines}\n ]\n}}\n', encoding='utf-8')
        runner.logger.info(f'{len(records)} masks and manifest.json are in {self.folder}')
        self._warn_of_useless_masks(runner.logger, records)

    def _warn_of_useless_masks(self, logger: Logger, records: Sequence[Mapping]) -> None:
        """Warn of masks that teach nothing; without any class a mask is empty by definition."""
        shares = [record['foreground'] for record in records if any(record['label'])]
        for share, what in ((0, 'empty'), (1, 'foreground all over')):
            if shares and all(one == share for one in shares):
                logger.warning(
                    f'all masks of the {len(shares)} images with a class are {what} at the '
                    f'threshold {in_words(self.threshold)}: nothing can be learned from them. Look '
                    'at the classifier, or search a threshold with tools/search_threshold.py'
                )


def _is_below(band: Value, threshold: Value) -> bool:
    """Tell whether a band, or that of each class, begins below its threshold."""
    if isinstance(band, Mapping) != isinstance(threshold, Mapping):
        return False
    if not isinstance(band, Mapping):
        return 0 <= band <= threshold
    return set(band) == set(threshold) and all(0 <= band[k] <= threshold[k] for k in band)


def _curves(evaluator) -> dict[str, list[float]]:
    """Return mean IoUs at all thresholds, before and after each refiner, where truth exists."""
    for metric in evaluator.metrics:
        if metric.prefix == 'refine':
            return metric.details.get('curves', {})
    return {}


def _probabilities(sample) -> Tensor:
    """Return that of each class by the classifier; by a segmentor, of its surest pixel."""
    return sample.pred_scores if 'pred_score' in sample else sample.seg_scores.amax((1, 2))


def save_scores(path: Path, scores: Tensor, stride: int) -> None:
    """Save [K, H, W] in [0, 1] as one grey PNG of K maps below each other, at 1/stride."""
    small = F.avg_pool2d(scores[None], stride, ceil_mode=True, count_include_pad=False)[0]
    values = (small * 255).round().byte().flatten(0, 1).cpu().numpy()
    with atomic_path(path) as temporary:
        Image.fromarray(values).save(temporary, optimize=True)

from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook

from mmsmoke.datasets.weak_seg import spread_positives
from mmsmoke.functional import scores_to_mask
from mmsmoke.registry import HOOKS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, save_png
from mmsmoke.utils.models import unwrapped
from mmsmoke.visualization import contact_sheet, overlay_mask, overlay_scores

from ..picture import picture
from .pseudo_label_hook import THRESHOLD


@HOOKS.register_module()
class LabelPreviewHook(Hook):
    """Draw during a training what pseudo labels, or masks, would look like by now.

    After a validation it writes ``previews/epoch_N.png`` into the work_dir and shows it to the
    visualizer's backends, such as TensorBoard. The images are those of the validation data that
    hold a class, evenly spread, and the same each time. A map is outlined at the threshold that
    the validation found best, where true masks allow that.

    Args:
        images: how many.
        interval: in epochs.
        width: of each picture, in pixels.
    """

    priority = 'ABOVE_NORMAL'  # an EMAHook has not put its weights away by then

    def __init__(self, images: int = 6, interval: int = 1, width: int = 192):
        for name, value in (('images', images), ('interval', interval)):
            if value < 1:
                raise UserError(f'{name} must be at least 1, got {value}')
        self.images, self.interval, self.width = images, interval, width

    @master_only
    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        if runner.epoch % self.interval:
            return
        threshold = (metrics or {}).get('cam/threshold', THRESHOLD)
        model = unwrapped(runner.model)
        dataset = runner.val_dataloader.dataset
        rows = []
        for index in spread_positives(dataset, self.images):
            data = pseudo_collate([dataset[index]])
            with torch.no_grad():
                sample = model.val_step(data)[0]
            rows.append(_row(data['inputs'][0], sample, threshold, dataset.metainfo['palette']))
        if not rows:
            return
        titles = ('image', 'prediction', 'truth')
        sheet = contact_sheet(rows, titles, self.width)
        save_png(Path(runner.work_dir) / 'previews' / f'epoch_{runner.epoch}.png', sheet)
        runner.visualizer.add_image('preview', sheet, runner.epoch)


def _row(inputs, sample: WeakSegDataSample, threshold: float, palette: list) -> list[np.ndarray]:
    is_map = 'cams' in sample
    mask = None if is_map else sample.pred_sem_seg.data[0]
    sample.localize()
    image = picture(inputs, sample)
    if is_map:
        scores = sample.seg_scores.cpu()
        heat = overlay_scores(image, scores.amax(0).numpy())
        outline = scores_to_mask(scores, threshold).numpy()
        predicted = overlay_mask(heat, outline, palette, opacity=0)
    else:
        predicted = overlay_mask(image, _array(mask), palette)
    truth = np.full_like(image, 255)
    if 'gt_sem_seg' in sample:
        truth = overlay_mask(image, _array(sample.gt_sem_seg.data[0]), palette)
    return [image, predicted, truth]


def _array(mask: torch.Tensor) -> np.ndarray:
    return mask.cpu().numpy().astype(np.uint8)

"""Check whether an exported segmentor computes what the model does in its ordinary test."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmsmoke.datasets.table import TABLE, spread
from mmsmoke.functional import logits_to_scores, resize_maps, strongest
from mmsmoke.inference.predictor import scope_of
from mmsmoke.utils import DataError, UserError

from .formats import Run


def find_pictures(cfg: Config, most: int) -> tuple[list[Tensor], Sequence[str]]:
    """Return test images as the pipeline gives them, evenly spread, and names of classes.

    Returns:
        Images [3, H, W], uint8, RGB, none if they are not there; ``classes`` of the data set.
    """
    settings = (cfg.get('test_dataloader') or {}).get('dataset')
    if settings is None:
        return [], ()
    with scope_of(cfg):
        dataset = DATASETS.build({**settings, 'lazy_init': True})
        classes = dataset.metainfo.get('classes', ())
        try:
            dataset.full_init()
        except (DataError, FileNotFoundError):
            if Path(settings.get('data_root') or '', TABLE).exists():
                raise
            return [], classes
        pictures = [dataset[i]['inputs'] for i in spread(len(dataset), most)]
    if any(picture.dtype != torch.uint8 for picture in pictures):
        raise UserError(
            f'{cfg.filename}: the test pipeline normalises images, which would not be exported; '
            'let the data_preprocessor do it'
        )
    return [picture.flip(0) for picture in pictures], classes


def lay_out(pictures: Sequence[Tensor], count: int, size: Sequence[int]) -> Tensor:
    """Return uint8 ``[count, 3, *size]``: the pictures, repeated if too few; noise without any.

    Noise is random at several scales, so that no layer of a network sees grey alone.
    """
    if pictures:
        chosen = [pictures[i % len(pictures)][None].float() for i in range(count)]
        images = torch.cat([resize_maps(picture, size) for picture in chosen])
    else:
        dice = torch.Generator().manual_seed(0)
        grids = [[max(side // step, 1) for side in size] for step in (1, 8, 64)]
        noise = [torch.rand(count, 3, *grid, generator=dice) for grid in grids]
        images = 255 / len(noise) * sum(resize_maps(part, size) for part in noise)
    return images.round().to(torch.uint8)


@torch.no_grad()
def ordinary_test(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores [B, K, H, W] and label maps [B, H, W] of ``test_step``, one image at a time.

    Args:
        images: uint8 [B, 3, H, W], RGB; the model gets BGR, as from mmcv's pipelines.
    """
    size = tuple(images.shape[2:])
    scores, masks = [], []
    for image in images:
        sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
        data = dict(inputs=[image.flip(0)], data_samples=[sample])
        (found,) = model.test_step(data)
        scores.append(logits_to_scores(found.seg_logits.data))
        masks.append(found.pred_sem_seg.data[0])
    return torch.stack(scores), torch.stack(masks)


def decision(model: nn.Module) -> dict:
    """Describe how scores become a mask: by a threshold, or without one for several classes."""
    if model.out_channels > 2:
        rule = '0 where 1 - the sum of the scores is largest, else k + 1 of the largest score k'
        return dict(threshold=None, decision=rule)
    threshold = 0.5 if model.out_channels == 2 else model.decode_head.threshold
    return dict(threshold=threshold, decision='1 where the score is above the threshold, else 0')


def decide(scores: Tensor, threshold: float | None) -> Tensor:
    """Return label maps [B, H, W] of scores [B, K, H, W], as :func:`decision` says."""
    if threshold is not None:
        return (scores[:, 0] > threshold).long()
    return strongest(scores)


def compare(
    run: Run,
    images: Tensor,
    batches: Sequence[int],
    expected: tuple[Tensor, Tensor],
    threshold: float | None,
) -> dict:
    """Measure how far an exported segmentor is from the ordinary test.

    Args:
        run: an exported segmentor.
        batches: sizes of batches that the images are to be cut into.
        expected: scores and label maps of :func:`ordinary_test`.
    """
    scores = torch.cat([run(batch) for batch in images.split(list(batches))])
    truth, masks = expected
    otherwise = decide(scores, threshold) != masks
    return dict(
        largest_difference=(scores - truth).abs().max().item(),
        pixels_decided_otherwise=otherwise.double().mean().item(),
    )

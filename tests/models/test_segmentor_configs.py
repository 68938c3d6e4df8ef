"""What the segmentors of configs/segmentors/ have in common, whatever their network."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS

from mmsmoke.engine.launch import load_config, use_masks
from mmsmoke.utils import mappings

CONFIGS = Path(__file__).parents[2] / 'configs/segmentors'
LEAVES = sorted(CONFIGS.glob('*.py'))
FROM_MASKS = [path for path in LEAVES if not path.stem.startswith('single')]


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def losses_of(config) -> list[dict]:
    heads = [node for node in mappings(load_config(config).model) if 'loss_decode' in node]
    found = []
    for head in heads:
        several = head['loss_decode']
        for loss in several if isinstance(several, list) else [several]:
            channels = head.get('out_channels') or head.get('num_classes')
            found.append((loss, channels or 1))  # SAM's has one
    return found


def different_losses():
    found = {repr(loss): loss for config in LEAVES for loss in losses_of(config)}
    return list(found.values())


@pytest.mark.parametrize(
    ('loss', 'channels'), different_losses(), ids=lambda value: str(value)[:60]
)
def test_ignored_pixels_teach_nothing(loss, channels):
    loss = MODELS.build(loss)
    truth = torch.randint(0, 2, (2, 6, 6), generator=torch.Generator().manual_seed(0))
    logits = torch.randn(2, channels, 6, 6, generator=torch.Generator().manual_seed(1))
    values = []
    for rest in (0.0, 5.0):  # whatever is said of ignored pixels
        scores = logits.clone()
        scores[:, :, 3:] += rest * torch.randn(scores[:, :, 3:].shape)
        scores.requires_grad_()
        target = truth.clone()
        target[:, 3:] = 255
        value = loss(scores, target, ignore_index=255)
        value.sum().backward()
        assert not scores.grad[:, :, 3:].any() and scores.grad[:, :, :3].any()
        values.append(value.sum())
    assert torch.allclose(*values)


def test_weights_make_smoke_count_more():
    (weighted, _), *_ = losses_of(CONFIGS / 'deeplabv3plus_r50_weighted_12e_ijmond-512.py')
    loss = MODELS.build(weighted)
    truth = torch.tensor([[[0, 1]]])
    wrong = {kind: torch.zeros(1, 2, 1, 2) for kind in ('missed', 'false alarm')}
    wrong['missed'][0, 0, 0, 1] = wrong['false alarm'][0, 1, 0, 0] = 4.0
    assert loss(wrong['missed'], truth) > 2 * loss(wrong['false alarm'], truth)


def test_tversky_forgives_false_alarms_sooner_than_missed_smoke():
    *_, (tversky, _) = (
        entry
        for entry in losses_of(CONFIGS / 'deeplabv3plus_r50_tversky_12e_ijmond-512.py')
        if entry[0]['type'] == 'TverskyLoss'
    )
    loss = MODELS.build(tversky)
    truth = torch.tensor([[[0, 0, 1, 1]]])
    perfect = torch.stack([1 - truth, truth], 1) * 20.0 - 10
    missed, alarm = perfect.clone(), perfect.clone()
    missed[0, :, 0, 2] = perfect[0, :, 0, 0]
    alarm[0, :, 0, 1] = perfect[0, :, 0, 2]
    assert loss(missed, truth) > loss(alarm, truth) > loss(perfect, truth)


@pytest.mark.parametrize('config', FROM_MASKS, ids=lambda path: path.stem)
def test_full_supervision_differs_in_the_masks_alone(config):
    pseudo, true = load_config(config), load_config(config)
    use_masks(true, 'true')
    assert true.train_dataloader.dataset.pop('seg_map_dir') == '{data_root}/masks'
    assert pseudo.train_dataloader.dataset.pop('seg_map_dir').startswith('work_dirs/')
    assert true.to_dict() == pseudo.to_dict()

"""Sheets drawn during a training, and the backends that show them."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from mmsmoke.engine import LabelPreviewHook
from mmsmoke.engine.launch import build_runner, load_config, use_masks
from mmsmoke.utils import UserError

SMALL = {
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'train_cfg.max_epochs': 2,
}
SEGMENTOR = 'configs/segmentors/mlp_r18-s_6e_smokestack-128.py'
CLASSIFIER = 'configs/cam/resnet18-s_12e_smokestack-128.py'


@pytest.fixture
def train(tiny_dataset, tmp_path):
    """Trains for two epochs with the hook; returns the work_dir."""

    def run(config, name='run', hook=None, **options):
        root = tiny_dataset(size=(32, 24))
        hooks = [dict(type='mmsmoke.LabelPreviewHook', **(hook or dict(images=2, width=64)))]
        options = {**SMALL, 'data_root': str(root), 'custom_hooks': hooks, **options}
        cfg = load_config(config, tmp_path / name, options)
        if config == SEGMENTOR:
            use_masks(cfg, 'true')
        cfg.experiment_name = f'{tmp_path.name}-{name}'
        build_runner(cfg).train()
        return tmp_path / name

    return run


def sheets(folder):
    return {path.name: np.array(Image.open(path)) for path in folder.glob('previews/*.png')}


@pytest.mark.parametrize('config', [CLASSIFIER, SEGMENTOR], ids=['maps', 'masks'])
def test_a_sheet_after_each_validation(train, config):
    drawn = sheets(train(config))
    assert sorted(drawn) == ['epoch_1.png', 'epoch_2.png']
    first, second = drawn['epoch_1.png'], drawn['epoch_2.png']
    assert first.shape == second.shape
    # a title of 28, then two rows of three pictures of 64 x 48, with gaps of 6
    assert first.shape == (28 + 6 + 2 * (48 + 6), 6 + 3 * (64 + 6), 3)
    image, prediction, truth = (
        np.s_[34:82, column * 70 + 6 : column * 70 + 70] for column in range(3)
    )
    assert np.array_equal(first[image], second[image])
    assert np.array_equal(first[truth], second[truth])
    assert not np.array_equal(first[image], first[truth])
    if config == CLASSIFIER:  # its maps have changed; the segmentor sees nothing yet
        assert not np.array_equal(first[prediction], second[prediction])


def test_only_every_so_many_epochs(train):
    assert sorted(sheets(train(CLASSIFIER, hook=dict(images=1, interval=2)))) == ['epoch_2.png']


def test_weights_are_the_same_without_it(train, tmp_path):
    import torch

    with_it = train(CLASSIFIER)
    without = train(CLASSIFIER, 'without', hook=dict(images=1, interval=99))
    assert not sheets(without)
    one, other = (
        torch.load(folder / 'epoch_2.pth', weights_only=False)['state_dict']
        for folder in (with_it, without)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize('name', ['images', 'interval'])
def test_none_at_all_is_refused(name):
    with pytest.raises(UserError, match=f'{name} must be at least 1, got 0'):
        LabelPreviewHook(**{name: 0})


def backends(*more):
    return [dict(type='LocalVisBackend'), *more]


def test_tensorboard_shows_losses_and_sheets(train):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = backends(dict(type='TensorboardVisBackend'))
    folder = train(CLASSIFIER, **{'visualizer.vis_backends': shown})
    (event_file,) = folder.rglob('events.out.tfevents*')
    events = EventAccumulator(str(event_file))
    events.Reload()
    tags = events.Tags()
    assert 'cam/image_iou' in tags['scalars'] and 'preview' in tags['images']
    picture = events.Images('preview')[-1]
    assert picture.step == 2
    decoded = cv2.imdecode(np.frombuffer(picture.encoded_image_string, np.uint8), 1)[..., ::-1]
    assert np.array_equal(decoded, sheets(folder)['epoch_2.png'])


def test_wandb_works_offline(train, monkeypatch, tmp_path):
    pytest.importorskip('wandb', reason="W&B is not installed: pip install 'mmsmoke[track]'")
    monkeypatch.setenv('WANDB_SILENT', 'true')
    shown = backends(
        dict(type='WandbVisBackend', init_kwargs=dict(mode='offline', project='mmsmoke'))
    )
    folder = train(CLASSIFIER, **{'visualizer.vis_backends': shown})
    sys.modules['wandb'].finish()
    assert list(folder.rglob('*.wandb'))
    assert list(folder.rglob('media/images/preview*.png'))

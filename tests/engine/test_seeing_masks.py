"""Configs are changed by num_masks, and trainings see a few true masks."""

import json

import numpy as np
import pytest
import torch
from conftest import save_palette
from mmengine.registry import DATASETS, TRANSFORMS

from mmsmoke.engine.few_masks import RECORD, seen_masks
from mmsmoke.engine.launch import load_config, resume, train, use_masks
from mmsmoke.experiments import work
from mmsmoke.inference.predictor import scope_of
from mmsmoke.reports.browse import draw_training
from mmsmoke.utils import UserError
from mmsmoke.utils.randomness import seeded

CAM, VIT, DISTILLER, SEGMENTOR = (
    'configs/cam/resnet18-s_12e_smokestack-128.py',
    'configs/cam/dinov2-s_3e_weakseg-168.py',
    'configs/crossarch/crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py',
    'configs/segmentors/mlp_r18-s_6e_smokestack-128.py',
)
ONE_STAGE = 'configs/segmentors/single_lite0_6e_smokestack-126.py'
MAPS = dict(type='mmsmoke.MapLoss')
SHORT = {
    'train_cfg.max_epochs': 1,
    'param_scheduler': [],
    **{f'{split}_dataloader.num_workers': 0 for split in ('train', 'val', 'test')},
    **{f'{split}_dataloader.persistent_workers': False for split in ('train', 'val')},
    'train_dataloader.batch_size': 4,
    'size': 32,
}


@pytest.fixture
def root(tiny_dataset):
    return tiny_dataset(splits=dict(train=12, val=4, test=4), size=(40, 32))


@pytest.fixture
def pseudo(tmp_path):
    for i in range(12):
        save_palette(tmp_path / f'pseudo/masks/train_{i}.png', np.zeros((32, 40), np.uint8))
    return tmp_path / 'pseudo'


def types(cfg):
    return [step.type.split('.')[-1] for step in cfg.train_dataloader.dataset.pipeline]


def test_a_classifier_loads_masks_and_compares_its_maps_with_them():
    cfg = load_config(CAM, options={'num_masks': 25, 'randomness.seed': 3})
    dataset = cfg.train_dataloader.dataset
    assert (dataset.num_masks, dataset.mask_seed) == (25, 3)
    assert types(cfg)[:3] == ['LoadImage', 'LoadMask', 'Resize'] and cfg.model.aux == [MAPS]
    assert cfg.train_dataloader.sampler == dict(type='DefaultSampler', shuffle=True)
    assert 'num_masks' not in cfg.val_dataloader.dataset


def test_a_student_does_so_and_its_teacher_does_not():
    cfg = load_config(DISTILLER, options={'num_masks': 25})
    assert cfg.model.student.aux == [MAPS] and 'aux' not in cfg.model.teacher


def test_losses_that_are_there_stay(tmp_path):
    crops = dict(type='mmsmoke.CropContrastLoss')
    mine = dict(MAPS, loss_weight=0.1)
    for given, expected in (([crops], [crops, MAPS]), ([mine], [mine])):
        cfg = load_config(CAM, options={'num_masks': 25, 'model.aux': given})
        assert cfg.model.aux == expected


def test_crops_move_masks_too_and_take_the_size_that_was_asked_for():
    cfg = load_config(VIT, options={'num_masks': 25, 'size': 112})
    assert types(cfg)[:3] == ['LoadImage', 'LoadMask', 'CropWithMask']
    assert cfg.train_dataloader.dataset.pipeline[2].scale == 112


@pytest.mark.parametrize('config', [CAM, VIT, DISTILLER, SEGMENTOR])
def test_the_config_in_a_work_dir_says_the_same_again(config, tmp_path):
    cfg = load_config(config, options={'num_masks': 25, 'mask_weight': 3.0})
    cfg.dump(tmp_path / 'config.py')
    assert load_config(tmp_path / 'config.py', cfg.work_dir).to_dict() == cfg.to_dict()


def test_none_are_none():
    assert load_config(CAM, options={'num_masks': 0}).model == load_config(CAM).model


def test_a_segmentor_sees_them_more_often():
    cfg = load_config(SEGMENTOR, options={'num_masks': 25})
    assert cfg.train_dataloader.sampler == dict(
        type='mmsmoke.WeightedSampler', weights=False, true_masks=5.0
    )
    assert 'seg_map_dir' in cfg.train_dataloader.dataset and 'aux' not in cfg.model
    cfg = load_config(SEGMENTOR, options={'num_masks': 25, 'mask_weight': 2, 'mask_seed': 7})
    assert cfg.train_dataloader.sampler.true_masks == 2
    assert cfg.train_dataloader.dataset.mask_seed == 7


def test_a_one_stage_segmentor_loads_them_itself():
    cfg = load_config(ONE_STAGE, options={'num_masks': 25})
    assert types(cfg)[:2] == ['LoadImage', 'LoadMask'] and 'aux' not in cfg.model.classifier
    assert 'RandomResizedCrop' not in types(cfg)
    assert cfg.train_dataloader.sampler.type == 'DefaultSampler'  # its labels keep their shares
    assert cfg.train_dataloader.dataset.get('seg_map_dir') is None
    beside = {'train_dataloader.dataset.beside': 'nothing'}
    with pytest.raises(UserError, match='learns from the labels of all images'):
        load_config(ONE_STAGE, options={'num_masks': 5, **beside})
    with pytest.raises(UserError, match='learns from the labels of all images'):
        use_masks(cfg, 'true')


def test_masks_beside_or_alone(pseudo):
    cfg = load_config(SEGMENTOR, options={'num_masks': 25})
    use_masks(cfg, pseudo)
    assert cfg.train_dataloader.dataset.seg_map_dir == str(pseudo / 'masks')
    assert cfg.train_dataloader.dataset.get('beside', 'all') == 'all'
    use_masks(cfg, 'true')
    assert cfg.train_dataloader.dataset.seg_map_dir is None
    assert cfg.train_dataloader.dataset.beside == 'nothing'


def test_what_cannot_be_is_said(tmp_path):
    with pytest.raises(UserError, match='learns from 4 data sets'):
        load_config('configs/cam/vit-base-cls_3e_ijmond-thesis-512.py', options={'num_masks': 5})
    with pytest.raises(UserError, match='num_masks must be a whole number'):
        load_config(CAM, options={'num_masks': 2.5})
    with pytest.raises(UserError, match='plumes or num_masks, not both'):
        load_config(CAM, options={'num_masks': 5, 'plumes': 'scores'})
    endless = {'train_dataloader.sampler.type': 'InfiniteSampler', 'num_masks': 5}
    assert load_config(SEGMENTOR, options=endless).train_dataloader.sampler == dict(
        type='InfiniteSampler', shuffle=True
    )
    with pytest.raises(UserError, match=r'mask_weight is for .* not for InfiniteSampler'):
        load_config(SEGMENTOR, options={**endless, 'mask_weight': 2})
    beside = {'train_dataloader.dataset.beside': 'nothing'}
    with pytest.raises(UserError, match="beside='nothing' is for segmentors"):
        load_config(CAM, options={'num_masks': 5, **beside})
    for key in ('mask_weight', 'mask_seed'):
        with pytest.raises(UserError, match=f'{key} is of true masks: say how many'):
            load_config(SEGMENTOR, options={key: 3})
    steps = [dict(type='mmsmoke.LoadImage'), dict(type='RandAugment', policies='timm_increasing')]
    alone = {'num_masks': 5, 'train_dataloader.dataset.pipeline': steps}
    with pytest.raises(UserError, match='RandAugment moves images without their masks'):
        load_config(CAM, options=alone)


def test_masks_that_would_not_be_learned_from_are_refused(pseudo):
    cfg = load_config(SEGMENTOR, options={'num_masks': 0})
    with pytest.raises(UserError, match='--num-masks 0 of --masks true leaves nothing'):
        use_masks(cfg, 'true')
    clear = {'num_masks': 5, 'train_dataloader.dataset.beside': 'clear'}
    cfg = load_config(SEGMENTOR, options=clear)
    with pytest.raises(UserError, match='learns from 5 true masks and nothing beside them but'):
        use_masks(cfg, pseudo)
    use_masks(cfg, 'true')
    assert cfg.train_dataloader.dataset.beside == 'clear'


def test_a_training_goes_on_with_the_masks_that_it_has_seen(root, tmp_path):
    train(few(CAM, root, tmp_path, num_masks=3))
    for options in ({}, {'num_masks': 4}):
        longer = {**options, 'train_cfg.max_epochs': 2}
        cfg = few(CAM, root, tmp_path, **longer)
        resume(cfg)
        with pytest.raises(UserError, match=r'has seen the 3 true masks .* go on with num_masks=3'):
            train(cfg)
        assert json.loads((tmp_path / 'run' / RECORD).read_text())['number'] == 3
    cfg = few(CAM, root, tmp_path, **{'num_masks': 3, 'train_cfg.max_epochs': 2})
    resume(cfg)
    train(cfg)
    assert (tmp_path / 'run/epoch_2.pth').is_file()


@pytest.mark.usefixtures('mmpretrain_scope')
def test_a_crop_takes_the_same_part_of_image_and_mask():
    settings = dict(scale=20, crop_ratio_range=(0.3, 0.9))
    ours = TRANSFORMS.build(dict(type='mmsmoke.CropWithMask', **settings))
    theirs = TRANSFORMS.build(dict(type='mmpretrain.RandomResizedCrop', **settings))
    for seed in range(10):
        image = np.random.default_rng(seed).integers(0, 256, (30, 44, 3)).astype(np.uint8)
        with seeded(seed):
            alone = theirs(dict(img=image))['img']
        with seeded(seed):
            assert np.array_equal(ours(dict(img=image))['img'], alone)
        # a mask that is the image itself must stay that, but for the interpolation
        steps = np.kron(np.eye(2), np.ones((15, 22))).astype(np.uint8)
        with seeded(seed):
            found = ours(dict(img=np.repeat(200 * steps[..., None], 3, 2), gt_seg_map=steps))
        assert found['gt_seg_map'].shape == (20, 20)
        assert ((found['img'][..., 0] > 100) == found['gt_seg_map']).mean() > 0.9


def few(config, root, tmp_path, name='run', **more):
    return load_config(config, tmp_path / name, {**SHORT, 'data_root': str(root), **more})


def test_a_classifier_learns_from_them_and_says_from_which(root, tmp_path):
    cfg = few(CAM, root, tmp_path, num_masks=3)
    train(cfg)
    record = json.loads((tmp_path / 'run' / RECORD).read_text())
    assert record['number'] == 3 == len(record['images']) and record['seed'] == 0
    assert all((root / name).is_file() for name in record['images'])
    (log,) = (tmp_path / 'run').glob('*/*.log')
    text = log.read_text()
    assert '3 true masks of 3 groups of images (lot 0): ' + record['images'][0] in text
    assert 'loss_map' in text
    checkpoint = tmp_path / 'run/epoch_1.pth'
    short = {key: value for key, value in record.items() if key != 'images'}
    assert seen_masks(cfg, checkpoint) == short
    assert work.seen_masks(cfg, tmp_path / 'elsewhere.pth') == dict(number=3, seed=0)
    assert seen_masks(load_config(CAM), checkpoint) == short  # whatever config it is tested with
    assert seen_masks(load_config(CAM), tmp_path / 'elsewhere.pth') is None
    train(few(CAM, root, tmp_path))
    assert not (tmp_path / 'run' / RECORD).exists()


def test_a_step_tells_what_it_has_seen(root, tmp_path, pseudo):
    options = {'train_dataloader.dataset.seg_map_dir': str(pseudo / 'masks')}
    cfg = few(SEGMENTOR, root, tmp_path, 'segmentor', num_masks=2, **options)
    folder = tmp_path / 'segmentor'
    folder.mkdir()
    cfg.dump(folder / 'config.py')
    trained = work.train(folder, str(folder / 'config.py'))
    tested = work.test(folder, str(folder / 'config.py'), trained['checkpoint']['path'], ['test'])
    assert trained['true_masks'] == tested['true_masks']
    assert trained['true_masks']['number'] == 2 and 'sha256' in tested['true_masks']
    before = work.read_in_training(cfg)
    image = json.loads((folder / RECORD).read_text())['images'][0]
    mask = root / 'masks' / image.removeprefix('images/')
    save_palette(mask, np.ones((32, 40), np.uint8))
    assert work.read_in_training(cfg) != before  # so it would be trained again


def test_the_tool_takes_them(root, tmp_path, load_tool, run_main):
    options = [f'{key}={str(value).replace(" ", "")}' for key, value in SHORT.items()]
    code, _, error = run_main(
        load_tool('train.py').main, SEGMENTOR, '--masks', 'true', '--num-masks', 4,
        '--work-dir', tmp_path / 'alone', '--cfg-options', f'data_root={root}', *options,
    )  # fmt: skip
    assert code == 0, error
    assert json.loads((tmp_path / 'alone' / RECORD).read_text())['number'] == 4
    state = torch.load(tmp_path / 'alone/epoch_1.pth', weights_only=False)
    assert state['message_hub']['runtime_info']['iter'] == 2  # of 12 images, not of 4
    code, _, error = run_main(
        load_tool('train.py').main, CAM, '--num-masks', 99, '--work-dir', tmp_path / 'many',
        '--cfg-options', f'data_root={root}', *options,
    )  # fmt: skip
    assert code == 2 and 'num_masks=99, but 6 of the 6 training images' in error


def test_a_sheet_shows_what_the_network_gets_to_see(root, tmp_path):
    for split in (None, 'val'):
        cfg = few(CAM, root, tmp_path, num_masks=2)
        draw_training(tmp_path / f'{split}.png', cfg, split, images=3)
        assert (tmp_path / f'{split}.png').is_file()


def test_the_lot_does_not_depend_on_the_config(root):
    lots = []
    for config in (CAM, DISTILLER, SEGMENTOR):
        cfg = load_config(config, options={'data_root': str(root), 'num_masks': 3, 'mask_seed': 4})
        cfg.train_dataloader.dataset.seg_map_dir = None
        with scope_of(cfg):
            lots.append(DATASETS.build(cfg.train_dataloader.dataset).true_masks)
    assert lots[0] == lots[1] == lots[2]

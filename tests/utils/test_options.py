"""Options that change a config, and those that would do nothing."""

import pytest
from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.utils import UserError
from mmsmoke.utils.options import apply_options, require_sound_numbers, require_useful_names

CONFIG = dict(
    side=64,
    lonely=3,
    model=dict(backbone=dict(depth=18, init_cfg=None), head=dict(num_classes=1)),
    train_cfg=dict(max_epochs=3),
    train_dataloader=dict(
        batch_size=2, dataset=dict(pipeline=[dict(type='Load'), dict(type='Resize', scale=64)])
    ),
    param_scheduler=[dict(type='LinearLR')],
)


@pytest.fixture
def cfg():
    return Config(CONFIG)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('model.backbone.depth', 50),
        ('model.backbone.frozen_stages', 1),
        ('model.backbone.init_cfg.type', 'Pretrained'),
        ('train_dataloader.dataset.pipeline.1.scale', 96),
        ('load_from', 'x.pth'),
        ('custom_hooks', [dict(type='EMAHook')]),
    ],
)
def test_what_a_run_reads_can_be_changed(cfg, name, value):
    apply_options(cfg, {name: value})
    node = cfg
    for key in name.split('.'):
        node = node[int(key) if key.isdigit() else key]
    assert node == value


def test_settings_of_a_none_come_together(cfg):
    name = 'model.backbone.init_cfg'
    apply_options(cfg, {f'{name}.type': 'Pretrained', f'{name}.checkpoint': 'x.pth'})
    assert cfg.model.backbone.init_cfg == dict(type='Pretrained', checkpoint='x.pth')


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('modle', 'option modle: the config has no modle; did you mean model'),
        ('modle.backbone.depth', r'the config has no modle; did you mean model\.backbone\.depth'),
        ('epochs', r'the config has no epochs; did you mean train_cfg\.max_epochs'),
        ('depth', r'the config has no depth; did you mean model\.backbone\.depth'),
        ('nothing_like_it', 'the config has no nothing_like_it$'),
        ('side', r'no effect: .*made of it: train_dataloader\.dataset\.pipeline\.1\.scale'),
        ('lonely', 'option lonely would have no effect: .*a config of your own|made of it'),
        ('param_scheduler.7.type', 'option param_scheduler.7.type does not fit: Index 7'),
        ('train_cfg.max_epochs.x', r'option train_cfg\.max_epochs\.x does not fit'),
    ],
)
def test_what_would_do_nothing_is_refused(cfg, name, message):
    with pytest.raises(UserError, match=message):
        apply_options(cfg, {name: 7})
    assert cfg.to_dict() == CONFIG


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('train_cfg.max_epochs', -1),
        ('train_cfg.max_epochs', 0),
        ('train_cfg.max_epochs', 1.5),
        ('train_cfg.max_epochs', '3'),
        ('train_cfg.max_iters', 0),
        ('train_cfg.val_interval', 0),
        ('train_dataloader.batch_size', 0),
        ('val_dataloader.batch_size', True),
        ('test_dataloader.num_workers', -1),
    ],
)
def test_lengths_and_sizes_must_be_sound(cfg, name, value):
    require_sound_numbers(cfg)
    apply_options(cfg, {name: value})
    with pytest.raises(UserError, match=rf'{name} must be a whole number of at least \d, got '):
        require_sound_numbers(cfg)


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('modle = dict(x=1)', r'child\.py: unknown key modle; did you mean model\?'),
        ('train_dataloder = dict(x=1)', 'did you mean train_dataloader'),
        ('epochs = 3', r'child\.py: epochs has no effect; did you mean train_cfg\.max_epochs\?'),
        ('size = 96', r'child\.py: size has no effect: the base has used its own'),
    ],
)
def test_names_in_a_file_that_nothing_reads_are_refused(line, message, tmp_path):
    (tmp_path / 'base.py').write_text(
        'size = 64\nmodel = dict(scale=size)\ntrain_cfg = dict(max_epochs=2)\n'
    )
    (tmp_path / 'child.py').write_text(f"_base_ = './base.py'\n{line}\n")
    with pytest.raises(UserError, match=message):
        load_config(tmp_path / 'child.py')


def test_names_that_serve_the_file_are_left_alone(tmp_path):
    (tmp_path / 'own.py').write_text(
        "crop = 32\nmodel = dict(type='x', crop=crop)\nremark = 'for those who inherit'\n"
        "evaluator = [dict(type='y')]\ntest_evaluator = evaluator\n_private = 1\n"
    )
    require_useful_names(Config.fromfile(tmp_path / 'own.py'))


def test_a_size_is_that_of_every_picture():
    config = 'configs/segmentors/linear_dinov2-s_3e_weakseg-168.py'
    before, cfg = load_config(config), load_config(config, options=dict(size=224))
    train = cfg.train_dataloader.dataset.pipeline
    sizes = [step.get('scale', step.get('crop_size')) for step in train]
    assert sizes == [None, None, (224, 224), (224, 224), None, None, None]
    assert cfg.test_dataloader.dataset.pipeline[1].scale == (224, 224)
    assert cfg.tta_pipeline[1].scale == (224, 224)
    assert cfg.tta_pipeline[2] == before.tta_pipeline[2]  # factors stay
    assert cfg.model == before.model
    one_number = load_config('configs/cam/lite0_3e_weakseg-168.py', options=dict(size=96))
    assert one_number.train_dataloader.dataset.pipeline[1].scale == 96


@pytest.mark.parametrize('size', [0, '224', 1.5])
def test_a_size_is_a_number_of_pixels(size):
    with pytest.raises(UserError, match='size must be a whole number of pixels'):
        load_config('configs/cam/lite0_3e_weakseg-168.py', options=dict(size=size))


def test_a_size_alone_does_nothing_in_a_file(tmp_path):
    """The base has made its pipelines by then; as an option it would change them."""
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'mmsmoke::cam/lite0_3e_weakseg-168.py'\nsize = 96\n")
    with pytest.raises(UserError, match='size has no effect: the base has used its own'):
        load_config(path)


def test_one_line_lets_any_classifier_learn_from_moved_plumes(tmp_path):
    def types(cfg):
        return [step['type'].split('.')[-1] for step in cfg.train_dataloader.dataset.pipeline]

    options = dict(plumes='maps/scores', data_root='data/mine')
    for config in (
        'cam/lite0_3e_weakseg-168.py',
        'crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-512.py',
    ):
        before, cfg = (
            load_config(f'configs/{config}'),
            load_config(f'configs/{config}', options=options),
        )
        loaded = types(before).index('LoadImage') + 1
        assert types(cfg)[loaded] == 'PlumeTransplant'
        assert types(cfg)[:loaded] + types(cfg)[loaded + 1 :] == types(before)
        transplant = cfg.train_dataloader.dataset.pipeline[loaded]
        assert (transplant.data_root, transplant.scores) == ('data/mine', 'maps/scores')
        assert cfg.test_dataloader.dataset.pipeline == before.test_dataloader.dataset.pipeline
        # a config that a training has left in its work_dir has both, the line and what it made
        cfg.dump(tmp_path / 'config.py')
        assert types(load_config(tmp_path / 'config.py')) == types(cfg)
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'mmsmoke::cam/lite0_3e_weakseg-168.py'\nplumes = 'maps/scores'\n")
    assert 'PlumeTransplant' in types(load_config(path))
    assert 'PlumeTransplant' not in types(load_config(path, options=dict(plumes=None)))


def test_how_plumes_are_moved_can_be_said_beside_their_maps():
    options = {'plumes.scores': 'maps/scores', 'plumes.prob': (0.25, 0)}
    cfg = load_config('cam/lite0_3e_weakseg-168.py', options=options)
    (moved,) = (s for s in cfg.train_dataloader.dataset.pipeline if 'Transplant' in s['type'])
    assert (moved.scores, moved.prob) == ('maps/scores', (0.25, 0))
    with pytest.raises(UserError, match=r'plumes\.scores, the folder of the maps, is missing'):
        load_config('cam/lite0_3e_weakseg-168.py', options={'plumes.prob': 0.25})


def test_segmentors_learn_from_no_moved_plumes():
    config = 'configs/segmentors/linear_dinov2-s_3e_weakseg-168.py'
    with pytest.raises(UserError, match='plumes can be moved for classifiers alone'):
        load_config(config, options=dict(plumes='maps/scores'))

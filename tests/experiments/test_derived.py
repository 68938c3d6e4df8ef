"""Check what one variant of a sweep is given of another one's training."""

import pytest
from fake_executor import fake_engine
from mmengine.config import Config

from mmsmoke.experiments.sweep import ITSELF, run_sweep, steps_of
from mmsmoke.experiments.variants import needs_of
from mmsmoke.utils.environment import environment

CNN = 'configs/cam/resnet18-s_12e_smokestack-128.py'
FIRST = dict(checkpoint=dict(path='w/first/best.pth'))


@pytest.fixture
def steps(tmp_path):
    """Function that makes the steps of a sweep with these variants, for seed 3."""

    def make(labels=None, **variants):
        sweep = Config(dict(config=CNN, variants=variants, splits=['test'], threshold_split='val'))
        sweep.last_word, sweep.labels = {}, labels or {}
        found = steps_of(sweep, tmp_path, needs_of(variants, [3]))
        return {name: step for (name, _), step in found.items()}

    return make


def test_weights_of_the_images_that_another_calls_wrong(steps):
    sampler = dict(_delete_=True, type='mmsmoke.WeightedSampler', weights='{errors:first:5}')
    tested = steps(first={}, second={'train_dataloader.sampler': sampler})
    second = tested['second'].inputs[ITSELF]
    errors = second.inputs['errors:first:5']
    assert (errors.name, errors.kind) == ('first/seed-3/errors-5', 'errors')
    assert errors.arguments({ITSELF: FIRST})['factor'] == 5
    made = {'first': FIRST, 'errors:first:5': dict(weights='w/weights.csv')}
    cfg = second.arguments(made)['config']
    assert cfg.train_dataloader.sampler.weights == 'w/weights.csv'
    assert 'shuffle' not in cfg.train_dataloader.sampler


def test_maps_of_another_are_those_of_a_label_run_that_keeps_them(steps, tmp_path):
    tested = steps(first={}, second={'train_cfg.x': '{scores:first}'})
    scores = tested['second'].inputs[ITSELF].inputs['scores:first:']
    cfg = scores.arguments({ITSELF: FIRST, 'search': {}})['config']
    assert cfg.test_cfg.type == 'mmsmoke.PseudoLabelLoop'
    assert cfg.custom_hooks[-1].score_stride == 1
    assert cfg.test_dataloader.dataset.split == 'train'
    made = {'first': FIRST, 'scores:first:': {}}
    config = tested['second'].inputs[ITSELF].arguments(made)['config']
    assert config.train_cfg.x == str(tmp_path / 'first/seed-3/labels/scores')


def test_masks_of_another_have_a_threshold_of_the_images_that_it_learned_from(steps, tmp_path):
    tested = steps(first={}, second={'train_dataloader.dataset.seg_map_dir': '{masks:first}'})
    masks = tested['second'].inputs[ITSELF].inputs['masks:first:']
    search = masks.inputs['search']
    assert (masks.kind, search.kind) == ('label', 'search')
    searched = search.arguments({ITSELF: FIRST})
    assert searched['split'] == 'val'
    learned_from = searched['config'].train_dataloader.dataset.data_root
    assert searched['config'].test_dataloader.dataset.data_root == learned_from
    labelled = masks.arguments({ITSELF: FIRST, 'search': dict(threshold=0.4)})
    assert labelled['found'] == dict(threshold=0.4)
    assert labelled['config'].test_dataloader.dataset.split == 'train'
    made = {'first': FIRST, 'masks:first:': {}}
    config = tested['second'].inputs[ITSELF].arguments(made)['config']
    assert config.train_dataloader.dataset.seg_map_dir == str(
        tmp_path / 'first/seed-3/labels/masks'
    )


def test_numbers_of_the_masks_stand_with_the_run_that_learned_from_them(tmp_path, monkeypatch):
    def answer(kind, folder, arguments):
        if kind == 'train':
            return dict(checkpoint=dict(path=str(folder / 'best.pth'), sha256='p'))
        if kind == 'search':
            return dict(threshold=0.4)
        if kind == 'label':
            return dict(metrics={'pseudo/precision': 70.0})
        record = dict(sha256='x')
        return dict(
            config=record, checkpoint=record, data_root='d', protocol={}, splits=dict(test={}),
            environment=environment(),
        )  # fmt: skip

    fake_engine(monkeypatch, answer)
    sweep = dict(
        config=CNN,
        work_dir=str(tmp_path / 'runs'),
        seeds=[0],
        variants=dict(
            first={},
            second={'train_dataloader.dataset.seg_map_dir': '{masks:first}'},
            third={'plumes': '{scores:first}'},
        ),
        splits=['test'],
        threshold_split='val',
        columns=[('precision', 'masks', 'pseudo/precision')],
    )
    Config(sweep).dump(tmp_path / 'sweep.py')
    first, second, third = run_sweep(str(tmp_path / 'sweep.py'))['runs']
    assert second['splits'] == dict(test={}, masks={'pseudo/precision': 70.0})
    assert first['splits'] == third['splits'] == dict(test={})


def test_a_retrained_head_is_tested_instead_of_what_it_began_with(steps):
    tested = steps(first={}, cured=dict(trained_as='first', retrain='lfr'))
    head = tested['cured'].inputs[ITSELF]
    assert (head.name, head.kind) == ('first/seed-3/head-lfr', 'head')
    arguments = head.arguments({ITSELF: FIRST})
    assert arguments['method'] == 'lfr' and arguments['portion'] == [0.8, 1.0]
    found = {ITSELF: dict(checkpoint=dict(path='w/head.pth')), 'first': FIRST}
    assert tested['cured'].arguments(found)['checkpoint'] == 'w/head.pth'


def test_the_best_of_several_heads_is_chosen_and_makes_maps_for_another(steps):
    chosen = dict(trained_as='first', retrain='choose')
    tested = steps(first={}, chosen=chosen, second={'train_cfg.x': '{scores:chosen}'})
    head = tested['chosen'].inputs[ITSELF]
    assert (head.name, head.kind) == ('first/seed-3/head-choose', 'choose')
    assert set(head.arguments({ITSELF: FIRST})) == {'config', 'checkpoint'}
    labels = tested['second'].inputs[ITSELF].inputs['scores:chosen:']
    assert labels.inputs[ITSELF] is head and labels.name == 'chosen/seed-3/labels'


def test_another_may_begin_with_a_retrained_head(steps):
    tested = steps(first={}, second={'model.init_cfg': dict(checkpoint='{head:first:afr}')})
    training = tested['second'].inputs[ITSELF]
    made = {'first': FIRST, 'head:first:afr': dict(checkpoint=dict(path='w/head.pth'))}
    assert training.arguments(made)['config'].model.init_cfg.checkpoint == 'w/head.pth'


def test_maps_and_masks_are_of_one_label_run(steps):
    changes = {'train_cfg.x': '{scores:first}', 'train_cfg.y': '{masks:first}'}
    inputs = steps(first={}, second=changes)['second'].inputs[ITSELF].inputs
    assert inputs['scores:first:'] is inputs['masks:first:']


def test_what_two_need_is_made_once(steps):
    change = {'train_cfg.x': '{scores:first}'}
    tested = steps(first={}, second=change, third=change)
    one, other = (
        tested[name].inputs[ITSELF].inputs['scores:first:'] for name in ('second', 'third')
    )
    assert one is other


def test_masks_of_another_may_have_a_threshold_for_each_class(steps):
    variants = dict(first={}, second={'train_dataloader.dataset.seg_map_dir': '{masks:first}'})
    tested = steps(labels=dict(threshold='per_class'), **variants)
    masks = tested['second'].inputs[ITSELF].inputs['masks:first:']
    assert masks.inputs['search'].arguments({ITSELF: FIRST})['criterion'] == 'per_class'

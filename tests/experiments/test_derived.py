"""Check what one variant of a sweep is given of another one's training."""

import pytest
from mmengine.config import Config

from mmsmoke.experiments import sweep as sweeps
from mmsmoke.experiments.sweep import ITSELF

CNN = 'configs/cam/resnet18-s_12e_smokestack-128.py'
FIRST = dict(checkpoint=dict(path='w/first/best.pth'))


@pytest.fixture
def steps(tmp_path):
    """Function that makes the steps of a sweep with these variants, for seed 3."""

    def make(**variants):
        sweep = Config(dict(config=CNN, variants=variants, splits=['test'], threshold_split='val'))
        sweep.last_word = {}
        found = sweeps._steps(sweep, tmp_path, sweeps._needs(variants, [3]))
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
    cfg = scores.arguments({ITSELF: FIRST})['config']
    assert cfg.test_cfg.type == 'mmsmoke.PseudoLabelLoop'
    assert cfg.custom_hooks[-1].score_stride == 1
    assert cfg.test_dataloader.dataset.split == 'train'
    made = {'first': FIRST, 'scores:first:': {}}
    config = tested['second'].inputs[ITSELF].arguments(made)['config']
    assert config.train_cfg.x == str(tmp_path / 'first/seed-3/scores/scores')


def test_a_retrained_head_is_tested_instead_of_what_it_began_with(steps):
    tested = steps(first={}, cured=dict(trained_as='first', retrain='lfr'))
    head = tested['cured'].inputs[ITSELF]
    assert (head.name, head.kind) == ('first/seed-3/head-lfr', 'head')
    arguments = head.arguments({ITSELF: FIRST})
    assert arguments['method'] == 'lfr' and arguments['portion'] == [0.8, 1.0]
    found = {ITSELF: dict(checkpoint=dict(path='w/head.pth')), 'first': FIRST}
    assert tested['cured'].arguments(found)['checkpoint'] == 'w/head.pth'


def test_another_may_begin_with_a_retrained_head(steps):
    tested = steps(first={}, second={'model.init_cfg': dict(checkpoint='{head:first:afr}')})
    training = tested['second'].inputs[ITSELF]
    made = {'first': FIRST, 'head:first:afr': dict(checkpoint=dict(path='w/head.pth'))}
    assert training.arguments(made)['config'].model.init_cfg.checkpoint == 'w/head.pth'


def test_what_two_need_is_made_once(steps):
    change = {'train_cfg.x': '{scores:first}'}
    tested = steps(first={}, second=change, third=change)
    one, other = (
        tested[name].inputs[ITSELF].inputs['scores:first:'] for name in ('second', 'third')
    )
    assert one is other

from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook

from mmsmoke.engine.hooks.checkpoint_hook import AtomicCheckpointHook, AtomicLocalBackend


def test_checkpoint_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / 'epoch_1.pth'
    backend = AtomicLocalBackend()
    backend.put(b'first', path)

    def dies_half_way(self, data):
        with open(self, 'wb') as file:
            file.write(data[: len(data) // 2])
        raise OSError('disk full')

    monkeypatch.setattr(type(path), 'write_bytes', dies_half_way)
    with pytest.raises(OSError, match='disk full'):
        backend.put(b'second', path)
    assert path.read_bytes() == b'first'
    assert [p.name for p in tmp_path.iterdir()] == ['epoch_1.pth']


@pytest.mark.parametrize(
    ('wanted', 'measured'),
    [
        ('cam/image_iou', {'label/accuracy': 90.0}),
        ('seg/image_iou', {'label/worst_class': 3.0}),
        ('seg/image_iou', None),
    ],
)
def test_what_cannot_be_chosen_by_is_said(wanted, measured):
    hook = AtomicCheckpointHook(interval=1, save_best=wanted, rule='greater')
    said = []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append))
    hook._save_best_checkpoint(runner, measured)
    (said,) = said
    assert f'gives no {wanted}' in said and 'the newest checkpoint will count' in said


def test_a_run_may_keep_no_best_checkpoint():
    hook = AtomicCheckpointHook(interval=1, save_best=None)
    hook._save_best_checkpoint(SimpleNamespace(), {'label/worst_class': 70.0})
    assert hook._best(SimpleNamespace()) == {}


def test_without_masks_the_best_classifier_is_that_of_the_best_worst_class(monkeypatch):
    hook = AtomicCheckpointHook(interval=1, save_best='cam/image_iou', rule='greater')
    said, kept = [], []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append, info=said.append))
    monkeypatch.setattr(CheckpointHook, '_save_best_checkpoint', lambda *_: kept.append(1))
    monkeypatch.setattr(AtomicCheckpointHook, '_best', lambda *_: {})
    for accuracy in (70.0, 80.0):
        hook._save_best_checkpoint(runner, {'label/worst_class': accuracy})
    assert hook.key_indicators == ['label/worst_class'] and hook.rules == ['greater']
    assert len(said) == 1 and 'highest label/worst_class' in said[0] and kept == [1, 1]
    hook = AtomicCheckpointHook(interval=1, save_best='cam/image_iou', rule='greater')
    hook._save_best_checkpoint(runner, {'label/worst_class': 70.0, 'cam/image_iou': 3.0})
    assert hook.key_indicators == ['cam/image_iou']


def test_a_resumed_training_knows_that_it_has_chosen_by_labels(monkeypatch):
    hook = AtomicCheckpointHook(interval=1, save_best='cam/image_iou', rule='greater')
    best = dict(best_score=87.0, best_ckpt='run/best_label_worst_class_epoch_2.pth')
    said = []
    runner = SimpleNamespace(
        logger=SimpleNamespace(info=said.append), message_hub=SimpleNamespace(runtime_info=best)
    )
    monkeypatch.setattr(CheckpointHook, 'before_train', lambda *_: None)
    monkeypatch.setattr(AtomicCheckpointHook, '_lacks_validation', lambda *_: False)
    hook.before_train(runner)
    assert said == ['best so far: label/worst_class 87.00 (epoch 2)']
    assert hook.key_indicators == ['label/worst_class']


BEST = dict(best_score=24.1, best_ckpt='run/best_cam_image_iou_epoch_7.pth')
OF_TWO = {
    'best_score_a': 3,
    'best_ckpt_a': 'run/best_a_iter_40.pth',
    'best_score_b': 0.5,
    'best_ckpt_b': 'run/mine.pth',
}


@pytest.mark.parametrize(
    ('save_best', 'known', 'lines'),
    [
        ('cam/image_iou', BEST, [f'{BEST["best_ckpt"]}, cam/image_iou 24.10 (epoch 7)']),
        (['a', 'b'], OF_TWO, ['run/best_a_iter_40.pth, a 3.00 (iter 40)', 'run/mine.pth, b 0.50']),
        ('cam/image_iou', {}, []),  # nothing was measured yet
        ('auto', BEST, []),  # nobody knows of what it is
        (None, BEST, []),
    ],
)
def test_the_best_checkpoint_is_named_where_there_is_one(save_best, known, lines):
    rule = None if save_best == 'auto' else 'greater'
    hook = AtomicCheckpointHook(interval=1, save_best=save_best, rule=rule)
    said = []
    runner = SimpleNamespace(
        logger=SimpleNamespace(info=said.append), message_hub=SimpleNamespace(runtime_info=known)
    )
    hook.after_train(runner)
    assert said == [f'best checkpoint: {line}' for line in lines]

"""Tests what stands on the screen during a run, and what in its log file alone."""

import io
import json
import re
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import write_dataset
from label_runs import label_config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from terminal import terminal

from mmsmoke.engine import ProgressHook, ScreenRunner
from mmsmoke.engine.launch import load_config, resume, use_masks
from mmsmoke.engine.screen import MOST, shortened
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.progress import progress

CLASSIFIER = 'configs/cam/resnet18-s_12e_smokestack-128.py'
SEGMENTOR = 'configs/segmentors/mlp_r18-s_6e_smokestack-128.py'
SMALL = {
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'train_cfg.max_epochs': 2,
}
BY_ITERATION = {
    'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=4, val_interval=2),
    'param_scheduler': [],
    'default_hooks.checkpoint.by_epoch': False,
    'log_processor': dict(by_epoch=False),
}
FILE_ALONE = ('System environment:', 'Config:\n', 'Hooks will be executed', 'Exp name')


@pytest.fixture
def runner_of(tiny_dataset, tmp_path):
    """Function that makes a runner of a config, for a small data set."""

    def make(config=CLASSIFIER, root=None, **options):
        root = root or tiny_dataset(size=(32, 24))
        cfg = load_config(config, tmp_path / 'run', {**SMALL, 'data_root': str(root), **options})
        if config == SEGMENTOR:
            use_masks(cfg, 'true')
        cfg.experiment_name = tmp_path.name
        return ScreenRunner.from_cfg(cfg)

    return make


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A training of two epochs and the third after a resume: screens and log files of both."""
    folder = tmp_path_factory.mktemp('trained')
    root = write_dataset(folder / 'data', size=(32, 24))
    seen = []
    for epochs in (2, 3):
        options = {**SMALL, 'data_root': str(root), 'train_cfg.max_epochs': epochs}
        screen = io.StringIO()
        with redirect_stdout(screen), redirect_stderr(screen):
            cfg = load_config(CLASSIFIER, folder / 'run', options)
            resume(cfg)
            cfg.experiment_name = f'{folder.name}-{epochs}'
            runner = ScreenRunner.from_cfg(cfg)
            runner.train()
        log = Path(runner.logger.log_file).read_text()
        seen.append(SimpleNamespace(screen=screen.getvalue(), log=log, runner=runner))
    return seen


def lines_with(text, lines):
    lines = lines.splitlines() if isinstance(lines, str) else lines
    return [line for line in lines if text in line]


def test_config_and_environment_are_for_the_log_file_alone(trained):
    first, _ = trained
    for text in FILE_ALONE:
        assert text in first.log and text not in first.screen
    opening = first.screen.splitlines()[0]
    runner = first.runner
    assert opening.endswith(
        f'config {CLASSIFIER}, work dir {runner.work_dir}, log file {runner.logger.log_file}'
    )


def test_the_first_iteration_is_logged_without_a_terminal(trained):
    for seen, epoch in zip(trained, (1, 3), strict=True):
        assert len(lines_with(f'Epoch(train) [{epoch}][1/3]', seen.screen)) == 1
    assert not lines_with('Epoch(train) [2][1/3]', trained[0].screen)


def test_without_a_terminal_there_is_no_bar(trained):
    for seen in trained:
        assert '\r' not in seen.screen and 'it/s' not in seen.screen


def test_a_validation_shows_few_numbers_and_logs_all(trained):
    first, _ = trained
    (short,) = lines_with('Epoch(val) [2]', first.screen)
    (long,) = lines_with('Epoch(val) [2]', first.log)
    found = [dict(re.findall(r'(\S+): ([\d.]+)', line)) for line in (short, long)]
    assert list(found[0]) == ['label/accuracy', 'cam/image_iou', 'cam/threshold']
    assert found[0].items() <= found[1].items() and 'cam/precision' in found[1]
    assert short.endswith(f'({len(found[1]) - 3} more in the log file)')
    entries = Path(first.runner.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    measured = [json.loads(line) for line in entries if 'cam/image_iou' in line]
    assert len(measured) == 2 and 'cam/precision' in measured[1]


def test_the_best_so_far_stands_after_each_validation_and_after_a_resume(trained):
    scores, best = [], None
    for seen in trained:
        lines = seen.screen.splitlines()
        if best:
            assert lines_with('best so far', lines)[0].endswith(f'best so far: {best}')
        for measured in lines_with('Epoch(val)', lines):
            epoch = int(re.search(r'Epoch\(val\) \[(\d)\]', measured)[1])
            scores.append((float(re.search(r'cam/image_iou: ([\d.]+)', measured)[1]), -epoch))
            score, when = max(scores)
            best = f'cam/image_iou {score:.2f} (epoch {-when})'
            following = lines[lines.index(measured) + 1]
            assert following.endswith(f'best so far: {best}, this epoch {scores[-1][0]:.2f}')
        name = f'best_cam_image_iou_epoch_{-max(scores)[1]}.pth'
        assert lines[-1].endswith(f'best checkpoint: {seen.runner.work_dir}/{name}, {best}')
    validations = len(lines_with('Epoch(val)', trained[1].screen))
    assert len(lines_with('best so far', trained[1].screen)) == 1 + validations


def test_segmentors_and_tests_have_few_numbers_too(runner_of, capsys):
    runner = runner_of(SEGMENTOR)
    runner.train()
    shown = lines_with('Epoch(val) [2]', capsys.readouterr().out)
    (names,) = [re.findall(r'(\S+): ', line.split('    ')[1]) for line in shown]
    assert names[:3] == ['seg/image_iou', 'seg/miou', 'mIoU'] and len(names) <= MOST
    runner.test()
    out = capsys.readouterr().out
    names = re.findall(r'(\S+): ', lines_with('Epoch(test) [1/1]', out)[-1].split('    ')[1])
    assert 'seg/image_iou' in names and len(names) <= MOST
    assert 'per class results' not in out and '+---' not in out


HEAD = 'Epoch(val) [1][4/4]    '


@pytest.mark.parametrize(
    'numbers, shown',
    [
        (
            'label/accuracy: 64.0  cam/image_iou_oracle: 11.1  cam/threshold: 0.3  '
            'cam/image_iou: 9.8  cam/f1: 18.7  cam/image_iou_low: 8.2  mine/score: 3.0  '
            'data_time: 0.1  time: 0.2',
            'label/accuracy: 64.0  cam/image_iou: 9.8  cam/threshold: 0.3  mine/score: 3.0  '
            '(5 more in the log file)',
        ),
        (  # no more than five, the user's own before what matters less
            'deployed/image_iou: 1.0  cam/image_iou: 9.8  m0: 1.0  m1: 1.0  m2: 1.0  m3: 1.0',
            'cam/image_iou: 9.8  m0: 1.0  m1: 1.0  m2: 1.0  m3: 1.0  (1 more in the log file)',
        ),
        ('eta: 0:00:01  time: 0.1  data_time: 0.2', None),
        ('data_time: 0.2  time: 0.1', None),  # nothing was found
    ],
)  # fmt: skip
def test_the_numbers_that_matter_most_are_shown(numbers, shown):
    assert shortened(HEAD + numbers) == HEAD + (numbers if shown is None else shown)


@pytest.mark.parametrize('head', ['Epoch(test) [7/7]', 'Iter(val) [ 7/10]', 'Iter(test) [7/7]'])
def test_every_measuring_line_is_known(head):
    numbers = '  '.join(f'cam/image_iou_low{i}: 1.0' for i in range(9)) + '  cam/image_iou: 2.0'
    assert shortened(f'{head}    {numbers}').startswith(f'{head}    cam/image_iou: 2.0  ')


def test_training_lines_stay_as_they_are():
    line = 'Epoch(train) [1][20/75]  ' + '  '.join(f'loss_{i}: 1.0' for i in range(9))
    assert shortened(line) == line


def test_numbers_of_an_earlier_validation_are_not_repeated():
    hub = MessageHub('numbers')
    for name in ('val/cam/image_iou', 'val/time', 'train/loss', 'test/cam/image_iou'):
        hub.update_scalar(name, 1.0)
    hook, runner = ProgressHook(), SimpleNamespace(message_hub=hub, val_dataloader=[None])
    with closing(hook):
        hook.before_val_epoch(runner)
    assert list(hub.log_scalars) == ['train/loss', 'test/cam/image_iou']


@pytest.mark.parametrize('options', [{}, BY_ITERATION], ids=['epochs', 'iterations'])
def test_a_terminal_has_bars_that_leave_lines_whole(runner_of, options):
    with terminal() as shown:
        runner_of(**options).train()
    by_epoch = ('epoch 1/2:', 'epoch 2/2:', '| 1/3 [')
    bars = ('training:', '| 1/4 [', '| 4/4 [') if options else by_epoch
    for text in ('reading the training data', 'reading the validation data', 'validation:', *bars):
        assert text in shown.raw
    assert re.search(r'(it/s|s/it), loss \d\.\d{4}\]', shown.raw)
    *lines, last = shown.lines
    assert last == ''
    assert not [line for line in lines if not re.match(r'\d\d/\d\d [\d:]{8} - mmengine', line)]
    kind = 'Iter' if options else 'Epoch'
    assert len(lines_with(f'{kind}(val)', lines)) == 2
    assert len(lines_with('best so far', lines)) == 2


def test_a_label_run_has_a_bar(tiny_dataset, checkpoint, tmp_path):
    cfg = label_config(tiny_dataset(), tmp_path / 'labels', checkpoint())
    cfg.experiment_name = tmp_path.name
    with terminal() as shown:
        ScreenRunner.from_cfg(cfg).test()
    assert '\rlabels:' in shown.raw and '| 2/2 [' in shown.raw
    assert lines_with('6 masks and manifest.json', shown.lines)
    (measured,) = lines_with('Epoch(test) [2/2]', shown.lines)
    assert len(re.findall(r'\S+: ', measured)) <= MOST


class Stopped(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 1:
            raise UserError('stopped')


def test_a_run_that_fails_leaves_no_bar_before_the_error(runner_of):
    with terminal() as shown, pytest.raises(UserError):
        runner = runner_of()
        runner.register_hook(Stopped())
        runner.train()
    assert '| 1/3 [' in shown.raw
    assert shown.lines[-1] == ''


def test_an_error_in_the_data_stands_alone(runner_of, tiny_dataset, capsys):
    root = tiny_dataset(size=(32, 24))
    (root / 'images/train_3.png').unlink()
    runner = runner_of(root=root)
    with pytest.raises(DataError, match='row 5'):
        runner.train()
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_of_several_processes_only_the_main_one_has_bars(monkeypatch):
    with terminal() as shown:
        with progress(range(3), text='mine') as bar:
            list(bar)
        monkeypatch.setattr('mmengine.dist.is_main_process', lambda: False)
        with progress(range(3), text="another's") as bar:
            list(bar)
    assert 'mine:' in shown.raw and "another's" not in shown.raw


def test_pairs_and_thresholds_of_classes_are_in_the_log_file_alone():
    names = ('cam/threshold_steam', 'cam/confusion_a_as_b', 'cam/confused_a_as_b', 'mine/score')
    numbers = '  '.join(f'{name}: 1.0' for name in ('label/accuracy', 'cam/image_iou', *names))
    line = shortened(f'Epoch(test) [4/4]    {numbers}')
    assert line.endswith('label/accuracy: 1.0  cam/image_iou: 1.0  mine/score: 1.0  '
                         '(3 more in the log file)')  # fmt: skip

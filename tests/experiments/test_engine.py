"""Steps are done once, in order, by as many as are asked to; what goes wrong is said."""

import importlib
import json
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace

import pytest
from fake_executor import FakeExecutor
from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.experiments import engine, executors, process, work
from mmsmoke.experiments.engine import in_order, run_steps
from mmsmoke.experiments.executors import Cluster, Local, executor_of
from mmsmoke.experiments.process import run_call, write_call
from mmsmoke.experiments.step import Kind, Step, begin
from mmsmoke.experiments.work import read_in_test, read_in_training
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.locks import exclusive


def step(name, inputs=(), **arguments):
    """A step that gets the answers of its inputs."""
    inputs = {one.name: one for one in inputs}
    return Step(name, 'add', lambda found: dict(arguments, found=found), inputs, f'do {name}')


@pytest.fixture
def adding(monkeypatch):
    """An executor whose steps add up what their inputs found, and one."""

    def answer(kind, folder, arguments):
        return dict(sum=1 + sum(one['sum'] for one in arguments['found'].values()))

    monkeypatch.setitem(work.KINDS, 'add', Kind(lambda **_: {}))
    return FakeExecutor(answer)


def names(executor):
    return [folder.name for _, folder, _ in executor.calls]


def run(steps, folder, executor, **options):
    found = run_steps(steps, folder, executor=executor, **options)
    return {one.name: result for one, result in found}


def test_a_step_comes_after_its_inputs_and_gets_what_they_found(tmp_path, adding, capsys):
    a = step('a')
    b, c = step('b', [a]), step('c', [a])
    d = step('d', [b, c])
    found = run([d, a], tmp_path, adding)
    assert names(adding) == ['a', 'b', 'c', 'd']
    assert found == dict(a=dict(sum=1), b=dict(sum=2), c=dict(sum=2), d=dict(sum=5))
    assert '\n== do d\n' in capsys.readouterr().out
    assert json.loads((tmp_path / 'd/results.json').read_text()) == dict(sum=5)
    # a second run finds all done
    assert run([d], tmp_path, adding) == found and len(adding.calls) == 4
    assert f'{tmp_path}/d is finished' in capsys.readouterr().out


def test_what_hangs_on_a_changed_step_is_done_again_and_the_old_is_kept(tmp_path, adding, capsys):
    run([step('b', [step('a', lr=1)])], tmp_path, adding)
    adding.calls.clear()
    run([step('b', [step('a', lr=2)]), step('c')], tmp_path, adding)
    assert names(adding) == ['a', 'c']  # what a found is the same
    assert 'lr: 1 -> 2' in capsys.readouterr().out
    assert (tmp_path / 'a.old-1/results.json').is_file()


def test_what_a_changed_step_begins_with_stays_though_it_lies_in_its_folder(tmp_path, adding):
    """A network that a comparison trains lies above the labels that it learns from."""
    for lr in (1, 2, 2):
        run([step('a', [step('a/labels')], lr=lr)], tmp_path, adding)
    assert names(adding) == ['labels', 'a', 'a']
    assert (tmp_path / 'a/labels/results.json').is_file()
    assert (tmp_path / 'a.old-1/results.json').is_file()


def test_content_that_a_kind_reads_decides(tmp_path, adding, monkeypatch):
    content = dict(masks='one')
    monkeypatch.setitem(work.KINDS, 'add', Kind(lambda **_: {}, reads=lambda **_: content))
    for value, count in (('one', 1), ('one', 1), ('two', 2)):
        content['masks'] = value
        run([step('a')], tmp_path, adding)
        assert len(adding.calls) == count


def test_what_a_user_would_type_is_a_command_whatever_names_it_has(
    tmp_path, adding, monkeypatch, capsys
):
    kind = Kind(lambda **_: {}, command=lambda folder, **_: ['tools/add.py', folder, '--by', 0.5])
    monkeypatch.setitem(work.KINDS, 'add', kind)
    run([step('own maps, lambda 3')], tmp_path, adding)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith('$'))
    folder = str(tmp_path / 'own maps, lambda 3')
    assert shlex.split(line) == ['$', 'python', 'tools/add.py', folder, '--by', '0.5']


def test_needs_in_a_circle_are_named():
    assert in_order(dict(b={'a'}, a=()), str) == ['a', 'b']
    with pytest.raises(UserError, match='need each other in a circle') as error:
        in_order(dict(a=(), b={'c'}, c={'b'}), 'step {}'.format)
    assert 'step b' in str(error.value) and 'step a' not in str(error.value)


def test_several_steps_at_a_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(work.KINDS, 'add', Kind(lambda **_: {}))
    together = threading.Barrier(2, timeout=60)

    def answer(kind, folder, arguments):
        if folder.name in 'ab':
            together.wait()  # neither ends before both are at work
        return dict(sum=1)

    executor = FakeExecutor(answer)
    steps = [step('c', [step('a'), step('b')])]
    assert set(run(steps, tmp_path, executor, jobs=2)) == {'a', 'b', 'c'}
    said = capsys.readouterr().out
    assert '[a] == do a' in said and '[b] == do b' in said


def test_an_error_ends_all_and_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(work.KINDS, 'add', Kind(lambda **_: {}))
    stopped = []

    def answer(kind, folder, arguments):
        raise UserError('out of luck')

    executor = FakeExecutor(answer)
    monkeypatch.setattr(executor, 'stop', lambda: stopped.append(True))
    with pytest.raises(UserError, match='out of luck'):
        run([step('b', [step('a')])], tmp_path, executor)
    assert names(executor) == ['a'] and stopped


def test_what_another_process_is_at_comes_later(tmp_path, adding, capsys, monkeypatch):
    other = exclusive(tmp_path / '.locks/a')
    other.__enter__()
    monkeypatch.setattr(engine.time, 'sleep', lambda _: other.__exit__(None, None, None))
    run([step('a'), step('b')], tmp_path, adding)
    assert names(adding) == ['b', 'a']
    assert capsys.readouterr().out.count('a: another process is at it') == 1


def test_what_another_process_has_finished_is_taken(tmp_path, adding, monkeypatch):
    run([step('a')], tmp_path / 'other', adding)
    other = exclusive(tmp_path / '.locks/a')
    other.__enter__()

    def finish(seconds):
        os.rename(tmp_path / 'other/a', tmp_path / 'a')
        other.__exit__(None, None, None)

    monkeypatch.setattr(engine.time, 'sleep', finish)
    assert run([step('a')], tmp_path, adding) == dict(a=dict(sum=1)) and len(adding.calls) == 1


def test_a_step_is_open_until_it_has_results(tmp_path):
    folder, settings = tmp_path / 'step', dict(lr=0.1, splits=('val', 'test'))
    assert begin(folder, settings) is None
    assert begin(folder, settings) is None
    write_json(folder / 'results.json', dict(answer=42))
    assert begin(folder, settings) == dict(answer=42)


def test_other_settings_put_the_folder_aside_and_say_what_changed(tmp_path, capsys):
    folder = tmp_path / 'step'
    begin(folder, dict(model=dict(depth=18)))
    (folder / 'work.pth').write_text('kept')
    assert begin(folder, dict(model=dict(depth=50))) is None
    assert 'model.depth: 18 -> 50' in capsys.readouterr().out
    assert (tmp_path / 'step.old-1/work.pth').read_text() == 'kept'
    begin(folder, dict(model=dict(depth=101)))
    assert (tmp_path / 'step.old-2').is_dir()


def _hold(folder, ready, done):
    with exclusive(folder):
        ready.set()
        done.wait()


def test_two_runs_cannot_share_a_folder(tmp_path):
    context = multiprocessing.get_context('spawn')
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    ready.wait()
    with pytest.raises(UserError, match='another run is at work'), exclusive(tmp_path):
        pass
    other.kill()
    other.join()
    with exclusive(tmp_path):
        pass


def test_what_a_training_reads_is_part_of_its_settings(tmp_path, tiny_dataset):
    root = tiny_dataset()

    def hashes(masks):
        train = dict(data_root=str(root), seg_map_dir=masks)
        return read_in_training(Config(dict(model=dict(), train_dataloader=dict(dataset=train))))

    true = hashes('{data_root}/masks')
    assert true == hashes('{data_root}/masks') and f'{root}/masks' in true
    mask = root / 'masks/train_0.png'
    mask.write_bytes((root / 'masks/train_2.png').read_bytes())
    changed = hashes('{data_root}/masks')
    assert [name for name in true if true[name] != changed[name]] == [f'{root}/masks']
    # of pseudo masks it is the manifest
    folder = tmp_path / 'label/masks'
    folder.mkdir(parents=True)
    write_json(tmp_path / 'label/manifest.json', dict(threshold=0.3))
    before = hashes(str(folder))
    assert set(before) == {f'{root}/labels.csv', str(tmp_path / 'label/manifest.json')}
    write_json(tmp_path / 'label/manifest.json', dict(threshold=0.4))
    assert hashes(str(folder)) != before
    # the weights of images are what their file says
    weights = tmp_path / 'weights.csv'
    sampler = dict(type='mmsmoke.WeightedSampler', weights=str(weights))
    loader = dict(dataset=dict(data_root=str(root)), sampler=sampler)
    cfg, found = Config(dict(model=dict(), train_dataloader=loader)), []
    for text in ('image,weight\n', 'image,weight\na.jpg,20\n'):
        weights.write_text(text)
        found.append(read_in_training(cfg))
    assert found[0] != found[1] and set(found[0]) == {f'{root}/labels.csv', str(weights)}
    # and of maps that move plumes
    moved = dict(pipeline=[dict(type='PlumeTransplant', scores=str(tmp_path / 'label/scores'))])
    read = read_in_training(Config(dict(model=dict(), train_dataloader=dict(dataset=moved))))
    assert set(read) == {str(tmp_path / 'label/manifest.json')}


def test_new_true_masks_ask_for_what_looks_at_them(tmp_path, tiny_dataset):
    """Those of the test for a new test, those that choose a checkpoint for a new training."""
    root, checkpoint = tiny_dataset(), tmp_path / 'best.pth'
    checkpoint.write_bytes(b'weights')
    config = 'configs/cam/resnet18-s_12e_smokestack-128.py'
    cfg = load_config(config, options=dict(data_root=str(root)))

    def read():
        return read_in_training(cfg), read_in_test(cfg, str(checkpoint), ['test'], 'val')

    for mask, train, test in (
        ('train_0', False, False),  # which nothing reads
        ('test_0', False, True),
        ('val_0', True, True),
    ):
        before = read()
        (root / f'masks/{mask}.png').unlink()
        after = read()
        assert (before[0] != after[0], before[1] != after[1]) == (train, test)


def test_a_function_runs_in_a_process_of_its_own_and_its_result_comes_back(
    tmp_path, monkeypatch, capfd
):
    child = """
import sys, json, pathlib
folder = pathlib.Path(sys.argv[1])
call = json.loads((folder / 'call.json').read_text())
print('11/29 13:53:09 - mmengine - INFO - Epoch(train) [1][ 1/25]  loss: 0.7')
print('11/29 13:53:09 - mmengine - INFO - Saving checkpoint at 1 epochs')
(folder / 'returned.json').write_text(json.dumps(dict(twice=2 * call['arguments']['x'])))
sys.exit(call['arguments'].get('code', 0))
"""
    package = tmp_path / 'package/fake'
    package.mkdir(parents=True)
    (package / '__init__.py').touch()
    (package / 'child.py').write_text(child)
    monkeypatch.setattr(process, '__package__', 'fake')
    monkeypatch.setenv('PYTHONPATH', str(package.parent))
    folder = tmp_path / 'step'
    write_call(folder, 'train', dict(x=21))
    assert run_call(folder) == dict(twice=42)
    assert capfd.readouterr().out == '  Epoch(train) [1][ 1/25]  loss: 0.7\n'
    assert 'Saving checkpoint' in (folder / 'train.log').read_text()
    write_call(folder, 'train', dict(x=21, code=3))
    with pytest.raises(UserError, match=rf'train failed with exit code 3; .*{folder}/train.log'):
        run_call(folder)
    assert 'Saving checkpoint' in capfd.readouterr().out  # the end of what it said


def test_what_a_user_can_mend_is_the_last_line_of_a_failed_step(tmp_path, capfd):
    folder = tmp_path / 'step'
    write_call(folder, 'train', dict(config=str(tmp_path / 'missing.py')))
    with pytest.raises(UserError, match=r'train failed with exit code 2.*train\.log'):
        run_call(folder)
    assert 'missing.py not found' in capfd.readouterr().out
    assert 'missing.py not found' in (folder / 'train.log').read_text()


def test_what_another_process_of_a_step_is_writing_is_waited_for(tmp_path, monkeypatch):
    """Read a result after the process that writes it for all, as on several GPUs."""
    manifest = dict(split='train', protocol={}, metrics={}, curves={}, images=[])
    cfg = Config(dict(work_dir=str(tmp_path)))
    runner = Namespace(test=lambda: None)
    monkeypatch.setattr(work, '_load', lambda *_: cfg)
    monkeypatch.setattr(work.launch, 'train', lambda _: None)
    monkeypatch.setattr(work.launch, 'trained_runner', lambda *_: runner)

    def others_are_done():
        write_json(tmp_path / 'manifest.json', manifest)
        (tmp_path / 'epoch_1.pth').write_bytes(b'weights')

    monkeypatch.setattr(work, 'barrier', others_are_done)
    found = work.train(tmp_path, 'config.py')
    assert found['checkpoint']['path'] == str(tmp_path / 'epoch_1.pth')
    assert work.label(tmp_path, 'config.py', 'best.pth')['split'] == 'train'


def test_nothing_begins_once_all_is_stopped(tmp_path):
    """Kill a step that another thread starts after an error; it would train on, unseen."""
    local = Local(jobs=2)
    local.stop()
    write_call(tmp_path / 'step', 'train', dict(config='missing.py'))
    with pytest.raises(UserError, match='train failed with exit code -9'):
        local.run(tmp_path / 'step', parallel=False)


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_a_step_ends_with_the_process_that_asked_for_it(tmp_path):
    code = (
        'import subprocess, sys, time\n'
        'from pathlib import Path\n'
        'from mmsmoke.experiments import child\n'
        f'child.work = lambda folder: (Path({str(tmp_path)!r}, "on").touch(), time.sleep(600))\n'
        'child.main()'
    )
    parent = subprocess.Popen(
        [sys.executable, '-c', 'import subprocess, sys, os\n'
         f'subprocess.run([sys.executable, "-c", {code!r}, "folder", str(os.getpid())])']
    )  # fmt: skip
    end = time.monotonic() + 120
    while not (tmp_path / 'on').exists():
        assert time.monotonic() < end and parent.poll() is None
        time.sleep(0.05)
    (child,) = _children(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while os.path.exists(f'/proc/{child}') and 'Z' not in _state(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def _children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return file.read().split()


def _state(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().split(')')[1]
    except OSError:
        return 'Z'


def test_jobs_share_the_gpus_of_a_machine(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    monkeypatch.setattr(torch.distributed, 'is_nccl_available', lambda: True)
    local = Local(jobs=2, gpus=2)
    assert [local.shares.get(), local.shares.get()] == [[0, 1], [2, 3]]
    local = Local(jobs=6)
    assert [local.shares.get()[0] for _ in range(6)] == [0, 1, 2, 3, 0, 1]
    assert Local().shares.get() is None  # one job sees what there is
    with pytest.raises(UserError, match='--gpus 5, but this machine has 4'):
        Local(gpus=5)
    monkeypatch.setattr(torch.distributed, 'is_nccl_available', lambda: False)
    with pytest.raises(UserError, match='--gpus 2: this PyTorch has no NCCL, as on Windows'):
        Local(gpus=2)
    Local(jobs=2)


@pytest.mark.parametrize(
    'ours, theirs', [(None, '1,0'), ('', '1,0'), ('4, 6', '6,4'), ('GPU-a,GPU-b', 'GPU-b,GPU-a')]
)
def test_a_step_sees_its_share_of_the_gpus_that_we_see(ours, theirs, tmp_path, monkeypatch):
    started = {}

    def note(command, env, **_):
        started.update(env)
        raise KeyboardInterrupt

    monkeypatch.setattr('mmsmoke.experiments.process.subprocess.Popen', note)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if ours is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', ours)
    (tmp_path / 'call.json').write_text('{"kind": "train"}')
    with pytest.raises(KeyboardInterrupt):
        run_call(tmp_path, devices=[1, 0])
    assert started['CUDA_VISIBLE_DEVICES'] == theirs


def test_a_cluster_without_submitit_is_a_named_error(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'submitit', None)
    with pytest.raises(UserError, match=r"need submitit: pip install 'mmsmoke\[cluster\]'"):
        Cluster(tmp_path)


def test_a_machine_that_is_not_of_a_cluster_is_a_named_error(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(UserError, match='--executor slurm: Could not detect "srun"'):
        Cluster(tmp_path)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Jobs on this machine, which triple a number."""
    (tmp_path / 'tripling.py').write_text(
        'import json\n'
        'def run_call(folder, gpus):\n'
        "    x = json.loads((folder / 'call.json').read_text())['arguments']['x']\n"
        '    if x < 0:\n'
        "        raise ValueError('too small')\n"
        '    return dict(tripled=3 * x)\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.setattr(executors, 'run_call', importlib.import_module('tripling').run_call)
    cluster = Cluster(tmp_path / 'jobs', 'local', options=dict(timeout_min=5))
    yield cluster
    cluster.stop()


def test_a_cluster_does_steps_as_jobs(cluster, tmp_path):
    folder = tmp_path / 'step'
    write_call(folder, 'train', dict(x=5))
    assert cluster.run(folder, parallel=True) == dict(tripled=15)
    write_call(folder, 'train', dict(x=-5))
    with pytest.raises(
        UserError, match=rf'{folder}: job \S+ failed: .*too small.*{tmp_path}/jobs/'
    ):
        cluster.run(folder, parallel=False)


def test_no_job_goes_on_once_all_is_stopped(cluster, tmp_path, monkeypatch):
    cancelled = []
    job = Namespace(
        cancel=lambda: cancelled.append(job), done=lambda: True, result=lambda: dict(tripled=15)
    )
    monkeypatch.setattr(cluster.executor, 'submit', lambda *_: job)
    cluster.stop()
    cluster.run(tmp_path, parallel=False)
    assert cancelled == [job]


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(jobs=0), '--jobs must be at least 1, not 0'),
        (dict(executor_options=['a=1']), '--executor-options are for clusters'),
        (dict(executor='slurm', executor_options=['partition']), "say KEY=VALUE, not 'partition'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    usual = dict(jobs=1, gpus=1, executor='local', executor_options=())
    with pytest.raises(UserError, match=message):
        executor_of(Namespace(**{**usual, **options}))

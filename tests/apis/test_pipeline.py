"""The whole chain through the tools as a user runs it, killed in the middle of each stage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NOISE = (
    'MultiScaleDeformableAttention',
    'FileClient',
    'HardDiskBackend',
    'Could not import OneDL',
    'Default ``avg_non_ignore``',
    'The prefix is not set',
    'we suggest using',
    'Could not safely load',
)


def start(folder: Path, *options: str) -> subprocess.Popen:
    small = dict(
        data_root=folder / 'data',
        **{'draw.train': 24, 'draw.val': 8, 'draw.test': 8, 'draw.size': 32},
        **{'classify.options.train_cfg.max_epochs': 3, 'segment.options.train_cfg.max_epochs': 2},
        **{'classify.options.train_dataloader.batch_size': 4},
        **{'label.options.test_dataloader.batch_size': 1},
        **{'segment.options.train_dataloader.batch_size': 4},
        **{'segment.options.default_hooks.logger.interval': 1},
        test_splits='[test]',
    )
    return subprocess.Popen(
        [sys.executable, 'tools/run_pipeline.py', 'configs/pipelines/smokestack_demo.py',
         '--work-dir', folder / 'run', '--cfg-options',
         *(f'{key}={value}' for key, value in small.items()), *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )  # fmt: skip


def wait_for(happened, what: str, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f'{what} did not happen'
        time.sleep(0.002)


def processes_of(folder: Path) -> list[str]:
    found = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            command = path.read_bytes().replace(b'\0', b' ').decode()
        except OSError:  # it has just ended
            continue
        if f'{folder}/' in command:
            found.append(command)
    return found


@pytest.fixture(scope='module')
def killed_and_finished(tmp_path_factory):
    """A pipeline killed with -9 in each of its stages and started again each time."""
    folder = tmp_path_factory.mktemp('pipeline')
    run, kept = folder / 'run', {}
    moments = dict(
        classify=lambda: (run / 'classify/epoch_2.pth').exists(),
        label=lambda: len(list(run.glob('label/masks/train/0*.png'))) >= 5,
        segment=lambda: (run / 'segment/epoch_1.pth').exists(),
    )
    for stage, moment in moments.items():
        process = start(folder)
        wait_for(moment, stage)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not processes_of(run), 'the end of all processes of the run', 20)
        assert not (run / 'results.json').exists()
        kept[stage] = {path: path.stat().st_mtime_ns for path in finished_files(run)}
    process = start(folder)
    output, _ = process.communicate()
    return run, output, kept, process.returncode


def finished_files(run: Path) -> list[Path]:
    """What no later run may write again."""
    done = list(run.glob('*/results.json'))
    journal = run / 'label/journal/rank0.jsonl'
    if journal.exists():
        for line in journal.read_text().splitlines():
            if line.endswith('}'):
                done.append(run / 'label' / json.loads(line)['mask'])
    return done


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_finished_stages_and_images_survive_every_kill(killed_and_finished):
    run, output, kept, code = killed_and_finished
    assert code == 0, output
    assert len(kept['label']) >= 4 and run / 'classify/results.json' in kept['label']
    for files in kept.values():
        assert files == {path: path.stat().st_mtime_ns for path in files}
    assert f'{run}/classify is finished' in output and f'{run}/label is finished' in output
    log = (run / 'classify/train.log').read_text()
    assert log.count('Saving checkpoint at 1 epochs') == 1
    assert log.count('Saving checkpoint at 3 epochs') == 1
    manifest = json.loads((run / 'label/manifest.json').read_text())
    assert len(manifest['images']) == len(list(run.glob('label/masks/train/*.png'))) == 24
    assert not [path for path in run.rglob('*') if '.tmp' in path.name and 'data' not in path.parts]


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_it_ends_with_a_table_numbers_and_pictures(killed_and_finished):
    run, output, _, _ = killed_and_finished
    result = json.loads((run / 'results.json').read_text())
    assert result['label']['protocol']['threshold_mode'] == 'dataset'
    assert result['label']['protocol']['threshold_split'] == 'val'
    threshold = result['classify']['protocol']['threshold']
    assert result['label']['protocol']['threshold'] == threshold
    assert result['classify']['splits']['test']['cam/threshold'] == threshold
    for name in ('accuracy', 'CAM', 'pseudo masks', 'segmenter'):
        assert name in output
    sheet = Image.open(run / 'examples.png')
    assert sheet.width > 5 * 150
    assert len(list((run / 'examples').glob('*.png'))) >= 1
    assert not [noise for noise in NOISE if noise in output]
    for log in run.glob('*/*.log'):
        text = log.read_text()
        assert not [noise for noise in NOISE if noise in text], log


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_a_changed_setting_is_noticed_and_what_was_there_is_kept(killed_and_finished):
    run, *_ = killed_and_finished
    process = start(run.parent, 'segment.options.optim_wrapper.optimizer.lr=0.01')
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert 'config.optim_wrapper.optimizer.lr: 0.0005 -> 0.01' in output
    assert f'{run}/label is finished' in output
    assert (run / 'segment.old-1/results.json').is_file()
    assert (run / 'segment/results.json').is_file()

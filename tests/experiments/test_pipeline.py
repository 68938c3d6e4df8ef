"""The whole chain through the tools as a user runs it, killed in the middle of each stage."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from browser import Browser, find_chromium
from here import Here
from mmengine.config import Config
from PIL import Image

from mmsmoke.experiments.pipeline import run_pipeline
from mmsmoke.reports.summary import summary_rows
from mmsmoke.utils import read_json

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


PLAN = 'configs/pipelines/smokestack_demo.py'


def small(folder: Path) -> dict:
    """Options of a plan that takes seconds."""
    return {
        'data_root': str(folder / 'data'),
        **{'draw.train': 24, 'draw.val': 8, 'draw.test': 8, 'draw.size': 32},
        **{'classify.options.train_cfg.max_epochs': 3, 'segment.options.train_cfg.max_epochs': 2},
        'classify.options.train_dataloader.batch_size': 4,
        'label.options.test_dataloader.batch_size': 1,
        'segment.options.train_dataloader.batch_size': 4,
        'segment.options.default_hooks.logger.interval': 1,
        'self_training.rounds': 0,
        'test_splits': ['test'],
    }


def start(folder: Path) -> subprocess.Popen:
    changes = (f'{key}={value}'.replace("'", '') for key, value in small(folder).items())
    return subprocess.Popen(
        [sys.executable, 'tools/run_pipeline.py', PLAN, '--work-dir', folder / 'run',
         '--cfg-options', *changes],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )  # fmt: skip


def wait_for(happened, what: str, process=None, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f'{what} did not happen'
        assert process is None or process.poll() is None, process.stdout.read()
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
        classify=lambda: (run / 'seed-0/classify/epoch_2.pth').exists(),
        label=lambda: len(list(run.glob('seed-0/label/masks/train/0*.png'))) >= 5,
        segment=lambda: (run / 'seed-0/segment/epoch_1.pth').exists(),
    )
    for stage, moment in moments.items():
        process = start(folder)
        wait_for(moment, stage, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not processes_of(run), 'the end of all processes of the run', seconds=20)
        assert not (run / 'results.json').exists()
        kept[stage] = {path: path.stat().st_mtime_ns for path in finished_files(run)}
    process = start(folder)
    output, _ = process.communicate()
    return run, output, kept, process.returncode


def finished_files(run: Path) -> list[Path]:
    """What no later run may write again."""
    done = list(run.glob('seed-0/**/results.json'))
    journal = run / 'seed-0/label/journal/rank0.jsonl'
    if journal.exists():
        for line in journal.read_text().splitlines():
            if line.endswith('}'):
                done.append(run / 'seed-0/label' / json.loads(line)['mask'])
    return done


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_finished_stages_and_images_survive_every_kill(killed_and_finished):
    run, output, kept, code = killed_and_finished
    assert code == 0, output
    assert len(kept['label']) >= 4 and run / 'seed-0/classify/results.json' in kept['label']
    for files in kept.values():
        assert files == {path: path.stat().st_mtime_ns for path in files}
    assert f'{run}/seed-0/classify is finished' in output
    assert f'{run}/seed-0/label is finished' in output
    log = (run / 'seed-0/classify/train.log').read_text()
    assert log.count('Saving checkpoint at 1 epochs') == 1
    assert log.count('Saving checkpoint at 3 epochs') == 1
    manifest = json.loads((run / 'seed-0/label/manifest.json').read_text())
    assert len(manifest['images']) == len(list(run.glob('seed-0/label/masks/train/*.png'))) == 24
    assert not [path for path in run.rglob('*') if '.tmp' in path.name and 'data' not in path.parts]


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_it_ends_with_a_table_numbers_and_pictures(killed_and_finished):
    run, output, _, _ = killed_and_finished
    (result,) = read_json(run / 'results.json')['chains']
    assert result['label']['protocol']['threshold_mode'] == 'dataset'
    assert result['label']['protocol']['threshold_split'] == 'val'
    # refined scores have a threshold of their own
    found = read_json(run / 'seed-0/label/threshold/results.json')['threshold']
    assert result['label']['protocol']['threshold'] == found
    threshold = result['classify']['protocol']['threshold']
    assert result['classify']['splits']['test']['cam/threshold'] == threshold
    for name in ('accuracy', 'CAM', 'pseudo masks', 'segmentor'):
        assert name in output
    assert re.search(r'classify \d+\.\d \| label \d+\.\d \| \(segment\)', output)
    sheet = Image.open(run / 'examples.png')
    assert sheet.width > 5 * 150
    assert len(list((run / 'examples').glob('*.png'))) >= 1
    assert not [noise for noise in NOISE if noise in output]
    for log in run.glob('seed-0/**/*.log'):
        text = log.read_text()
        assert not [noise for noise in NOISE if noise in text], log


@pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium: apt-get install chromium runs this test'
)
@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_the_report_opens_in_a_browser(killed_and_finished, tmp_path):
    run, *_ = killed_and_finished
    browser = Browser(tmp_path / 'profile')
    browser.open(run / 'report/index.html')
    titles = browser.run("[...document.querySelectorAll('h2')].map(h => h.textContent)")
    expected = ['Results', 'Thresholds', 'Training', 'Companions', 'Examples', 'Protocol']
    assert titles == expected
    assert browser.run("document.querySelectorAll('figure canvas').length") >= 5
    status = browser.run("document.getElementById('status').textContent")
    assert re.match(r'\d+ of \d+ examples', status)
    (result,) = read_json(run / 'results.json')['chains']
    shown = browser.run("document.getElementById('threshold-value').textContent")
    assert float(shown) == result['classify']['protocol']['threshold']
    captions = browser.run("[...document.querySelectorAll('figcaption')].map(c => c.textContent)")
    learned = [text for text in captions if ' · train, ' in text]
    assert learned and all('pseudo mask: IoU' in text for text in learned)
    assert browser.run("document.querySelectorAll('[aria-label^=pseudo]').length") == len(learned)
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    for width in (1280, 390):
        browser.resize(width, 800, mobile=width < 640)
        assert browser.run('document.documentElement.scrollWidth') <= width
        letters = "(i => i.clientWidth / i.naturalWidth)(document.querySelector('.charts img'))"
        assert 13 * browser.run(letters) > 9  # a letter of 10 points has 13 pixels
        browser.run("[...document.querySelectorAll('figure')].at(-1).scrollIntoView()")
        slider = "document.getElementById('threshold').getBoundingClientRect()"
        assert 0 <= browser.run(f'{slider}.top') < 150  # it stays in view
    shown = "[...document.querySelectorAll('.charts img')].filter(i => i.naturalWidth)"
    charts = browser.run(f'{shown}.map(i => i.alt)')
    assert len(charts) == 3 and charts[0] == 'IoU over threshold'
    assert not [entry for entry in browser.log if entry.startswith('http')]
    browser.close()


@pytest.mark.skipif(sys.platform != 'linux', reason='processes are watched through /proc')
def test_a_changed_setting_is_noticed_and_what_was_there_is_kept(killed_and_finished, capsys):
    run, *_ = killed_and_finished
    changes = {
        **small(run.parent),
        'segment.options.optim_wrapper.optimizer.lr': 0.01,
        'self_training.rounds': 1,
        'full.options.train_cfg.max_epochs': 1,
    }
    run_pipeline(ROOT / PLAN, str(run), changes, executor=Here())
    output = capsys.readouterr().out
    assert 'config.optim_wrapper.optimizer.lr: 0.001 -> 0.01' in output
    chain = run / 'seed-0'
    assert f'{chain}/label is finished' in output
    assert (chain / 'segment.old-1/test/results.json').is_file()
    assert (chain / 'segment/results.json').is_file()
    # and each further segmentor learns from what it should
    masks = {
        stage: Config.fromfile(chain / stage / 'config.py').train_dataloader.dataset.seg_map_dir
        for stage in ('segment', 'resegment-1', 'full')
    }
    assert masks == {
        'segment': str(chain / 'label/masks'),
        'resegment-1': str(chain / 'relabel-1/masks'),
        'full': '{data_root}/masks',
    }
    relabelled = read_json(chain / 'relabel-1/manifest.json')
    segmentor = read_json(chain / 'segment/test/results.json')['checkpoint']['sha256']
    assert relabelled['settings']['checkpoint'] == segmentor
    assert relabelled['protocol']['threshold'] == 0.5
    rows = [row[0] for row in summary_rows(read_json(run / 'results.json'))[1]]
    assert 'round 1, masks: foreground IoU' in rows and rows[-1].startswith('full supervision')
    assert 'round 1, segmentor' in (run / 'report/index.html').read_text(encoding='utf-8')

"""No tool makes anybody wait for torch who only asks for help, or whose work needs none."""

import ast
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, save

HEAVY = ('torch', 'mmengine', 'mmcv')
# measured networks need torch from the first line on; the others do not
LIGHT_BENCHMARKS = ('conversion.py', 'labelling.py', 'monitor.py', 'smokestack.py', 'startup.py')
TOOLS = [
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / 'tools').rglob('*.py'))
    if path.parent.name != 'benchmarks' or path.name in LIGHT_BENCHMARKS
]
# runs each command in a fork of its own, of a process that has imported nothing yet
RUN = """
import io, json, os, runpy, sys
from contextlib import redirect_stdout
sys.path.insert(0, os.getcwd())
for command in json.loads(sys.argv[1]):
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    sys.argv, out, code = command, io.StringIO(), 0
    sys.path.insert(0, os.path.dirname(command[0]))
    try:
        with redirect_stdout(out):
            runpy.run_path(command[0], run_name='__main__')
    except SystemExit as stop:
        code = stop.code or 0
    print(json.dumps(dict(code=code, out=out.getvalue(), loaded=list(sys.modules))), flush=True)
    os._exit(0)
"""


def run(*commands):
    """Return for each command its exit code, what it prints, and the modules that it loads."""
    commands = [list(map(str, command)) for command in commands]
    done = subprocess.run(
        [sys.executable, '-c', RUN, json.dumps(commands)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(commands), done.stderr
    return found


@pytest.fixture(scope='module')
def helps():
    return dict(zip(TOOLS, run(*([tool, '--help'] for tool in TOOLS)), strict=True))


def arguments_of(tool):
    """Return what help calls the arguments that a tool adds: options, and metavars of others."""
    for node in ast.walk(ast.parse((ROOT / tool).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, 'attr', '') == 'add_argument':
            names = [name.value for name in node.args]
            metavar = {one.arg: one.value for one in node.keywords}.get('metavar')
            yield from names if names[0].startswith('-') or not metavar else [metavar.value]


@pytest.mark.parametrize('tool', TOOLS)
def test_help_loads_no_torch_and_names_all_arguments(tool, helps):
    found = helps[tool]
    assert found['code'] == 0 and found['out'].startswith('usage: ')
    assert 'torch' not in found['loaded']
    for name in arguments_of(tool):
        assert name in found['out']


def test_a_mistyped_option_and_a_missing_folder_load_no_torch(tmp_path):
    mistyped, missing = run(
        ['tools/train.py', 'configs/none.py', '--reusme'],
        ['tools/check_dataset.py', tmp_path / 'none'],
    )
    for found in (mistyped, missing):
        assert found['code'] == 2 and 'torch' not in found['loaded']


def test_data_sets_are_checked_without_torch(tiny_dataset):
    good, bad = tiny_dataset('good'), tiny_dataset('bad', suffix='.jpg')
    (bad / 'images/val_1.jpg').write_bytes(b'no picture')
    save(bad / 'masks/train_0.png', np.full((36, 48), 7, np.uint8))
    options = '--out', bad / 'report.json', '--masks', bad / 'masks'
    clean, broken = run(['tools/check_dataset.py', good], ['tools/check_dataset.py', bad, *options])
    assert clean['code'] == 0 and 'no problems' in clean['out']
    assert broken['code'] == 1 and 'val_1.jpg (labels.csv row 9)' in broken['out']
    assert len(json.loads((bad / 'report.json').read_text())['problems']) > 1
    for found in (clean, broken):
        assert not {*HEAVY} & {*found['loaded']}


def test_a_data_set_is_converted_without_torch(tmp_path):
    for part, count in (('train', 6), ('test', 3)):
        for number in range(count):
            picture = np.random.default_rng(number).integers(0, 256, (24, 32, 3)).astype(np.uint8)
            save(tmp_path / f'smoke5k/{part}/img/{part}_{number}.png', picture)
            mask = np.zeros((24, 32), np.uint8)
            mask[4:9, 4:9] = 255
            save(tmp_path / f'smoke5k/{part}/gt/{part}_{number}.png', mask)
    tool = 'tools/dataset_converters/smoke5k.py'
    (found,) = run([tool, tmp_path / 'smoke5k', tmp_path / 'out', '--workers', '1'])
    assert found['code'] == 0 and (tmp_path / 'out/samples.png').is_file()
    assert not {*HEAVY} & {*found['loaded']}

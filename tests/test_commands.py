"""The console command, run as ``python -m mmsmoke``, and the scripts that complete it."""

import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from mmsmoke import __version__
from mmsmoke.__main__ import main
from mmsmoke.commands import SHORT, find_tools
from mmsmoke.completion import SCRIPTS, candidates, complete
from mmsmoke.utils import UserError

TOOLS = find_tools()
RUN = """
import sys
from mmsmoke.__main__ import main
try:
    main()
finally:
    heavy = {'torch', 'mmengine'} & {*sys.modules}
    print('loaded:', *heavy, file=sys.stderr)
"""


def mmsmoke(*arguments, script=('-c', RUN), cwd=ROOT):
    command = [sys.executable, *script, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_each_tool_but_the_benchmarks_has_one_command():
    paths = [path for path in (ROOT / 'tools').rglob('*.py') if path.parent.name != 'benchmarks']
    assert sorted(path.resolve() for path in TOOLS.values()) == sorted(paths)
    assert {'train', 'pseudo-labels', 'pipeline', 'convert voc', 'analyse rerun'} <= set(TOOLS)


def test_the_docs_name_all_commands_that_are_shorter_than_their_tools():
    text = (ROOT / 'docs/install.md').read_text()
    rows = dict(re.findall(r'`(tools/[\w/]+\.py)`[^|`]*\| `mmsmoke ([\w -]+)`', text))
    assert {*SHORT.values()} < {*rows.values()}
    for tool, command in rows.items():
        assert TOOLS[command].resolve() == ROOT / tool


def test_version_and_help_load_no_torch():
    said = mmsmoke('--version')
    assert (said.returncode, said.stdout) == (0, f'mmsmoke {__version__}\n')
    assert said.stderr == 'loaded:\n'
    said = mmsmoke('--help')
    assert said.returncode == 0 and said.stderr == 'loaded:\n'
    shown = re.findall(r'^  (\S+)', said.stdout, re.MULTILINE)
    assert set(shown) == {name.split()[0] for name in TOOLS} | {'completion'}
    assert 'Train a classifier (stage 1) or a segmentor' in ' '.join(said.stdout.split())


def test_help_of_a_command_is_that_of_its_tool_and_loads_no_torch():
    said = mmsmoke('train', '--help')
    assert said.returncode == 0 and said.stderr == 'loaded:\n'
    tool = mmsmoke('--help', script=['tools/train.py'])
    assert said.stdout.startswith('usage: mmsmoke train [-h]')
    assert said.stdout.split('Train a')[1] == tool.stdout.split('Train a')[1]


@pytest.mark.parametrize(
    'words, code',
    [
        (['convert'], 2),
        (['convert', '-h'], 0),
        (['convert', '--help', 'voc'], 0),
        ([], 2),
        (['--help', 'train'], 0),
    ],
)
def test_without_a_command_all_are_listed(run_main, words, code):
    found, out, _ = run_main(main, *words)
    assert found == code and out.startswith('usage: mmsmoke ')
    listed = re.findall(r'^  (convert [a-z][\w-]*)  ', out, re.MULTILINE)
    assert listed == sorted(
        name for name in TOOLS if 'convert' in words and name.startswith('convert ')
    )


@pytest.mark.parametrize(
    'words, said',
    [
        (['trian'], 'no command is called trian; did you mean train? mmsmoke --help lists all'),
        (['make_pseudo_labels'], 'did you mean pseudo-labels?'),
        (['tools/check_dataset.py', 'data'], 'did you mean check?'),
        (['smokestack', 'out'], 'called smokestack; did you mean convert smokestack?'),
        (['convert', 'vco'], 'no command is called convert vco; did you mean convert voc?'),
        (['xyzzy'], 'no command is called xyzzy; mmsmoke --help lists all'),
        (['completion'], 'say one shell: mmsmoke completion bash|zsh|fish'),
        (['completion', 'csh'], 'say one shell'),
    ],
)
def test_what_is_no_command_is_one_line(run_main, words, said):
    code, out, err = run_main(main, *words)
    assert (code, out) == (2, '') and said in err and err.count('\n') == 1


def test_a_command_returns_the_exit_code_of_its_tool(tiny_dataset, tmp_path, run_main):
    done = mmsmoke('check', 'nowhere', script=['-m', 'mmsmoke'], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, 'error: folder nowhere not found\n')
    data = tiny_dataset('bad')
    (data / 'images/val_1.png').unlink()
    code, out, _ = run_main(main, 'check', data)
    assert code == 1 and 'val_1.png' in out


def test_commands_begun_are_completed():
    assert candidates(['t']) == ['test', 'threshold', 'train']
    assert candidates(['convert', 'smoke']) == ['smoke5k', 'smokestack']
    assert candidates(['completion', '']) == sorted(SCRIPTS)
    assert candidates(['--v']) == ['--version']
    assert candidates(['train', 't']) == candidates(['trian', '--']) == []
    with pytest.raises(UserError, match='say one shell'):
        complete(['words'])


def test_options_are_those_of_the_tool(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['pytest'])
    found = candidates(['train', 'a.py', '--'])
    assert {'--resume', '--cfg-options', '--work-dir'} <= set(found)
    assert candidates(['convert', 'smokestack', '--p']) == [
        '--p-chimney-clear', '--p-chimney-smoke', '--pairs', '--preset',
    ]  # fmt: skip


def test_configs_of_the_package_are_completed_where_no_others_are(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = candidates(['train', 'configs/pipelines/weakseg-1'])
    assert found == ['configs/pipelines/weakseg-112.py', 'configs/pipelines/weakseg-168.py']
    (tmp_path / 'configs').mkdir()
    assert candidates(['train', 'configs/pipelines/weakseg-1']) == []


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Let shells find a command mmsmoke."""
    command = tmp_path / 'bin/mmsmoke'
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m mmsmoke "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv('PATH', str(command.parent), prepend=':')
    monkeypatch.setenv('PYTHONPATH', str(ROOT))


BASH = """
eval "$(mmsmoke completion bash)"
complete -p mmsmoke
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mmsmoke mmsmoke; echo "${COMPREPLY[*]}"; }
try mmsmoke tr
try mmsmoke convert smokestack --pr
try mmsmoke train ''
"""
ZSH = """
compdef() { echo "$2: $1" }
compadd() { echo ${(P)2} }
_files() { echo files }
eval "$(mmsmoke completion zsh)"
try() { words=("$@"); CURRENT=$#; _mmsmoke }
try mmsmoke tr
try mmsmoke convert smokestack --pr
try mmsmoke train ''
"""
FISH = """
mmsmoke completion fish | source
complete -C 'mmsmoke tr'
complete -C 'mmsmoke convert smokestack --pr'
complete -C 'mmsmoke completion '
"""


@pytest.mark.parametrize(
    'shell, script, said',
    [
        ('bash', BASH, ['complete -o default -F _mmsmoke mmsmoke', 'train', '--preset', '']),
        ('zsh', ZSH, ['mmsmoke: _mmsmoke', 'train', '--preset', 'files']),
        ('fish', FISH, ['train', '--preset', *sorted(SCRIPTS)]),
    ],
)
def test_a_shell_completes_by_its_script(on_path, tmp_path, shell, script, said):
    if shutil.which(shell) is None:
        pytest.skip(f'{shell} is not installed')
    empty = tmp_path / 'empty'
    empty.mkdir()
    done = subprocess.run([shell, '-c', script], cwd=empty, capture_output=True, text=True)
    assert (done.stdout.splitlines(), done.stderr) == (said, '')

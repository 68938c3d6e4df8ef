"""The commands of the documents: each is understood by its tool, and they can be run."""

import argparse
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmsmoke.__main__ import main as mmsmoke_main
from mmsmoke.reports.commands import commands_of, pages_of, run_command
from mmsmoke.utils import UserError

ROOT = Path(__file__).parents[2]
COMMANDS = [command for page in pages_of(ROOT) for command in commands_of(page)]
OF_TOOLS = [
    one
    for one in COMMANDS
    if 'tools/' in ' '.join(one.words[:2])
    or (one.words[0] == 'mmsmoke' and one.words[1] not in ('--version', '--help', 'completion'))
]


class Understood(BaseException):
    """Stops a tool when it has read its arguments."""


@pytest.mark.parametrize('command', OF_TOOLS, ids=lambda one: f'{one.page}:{one.line}')
def test_tools_understand_the_commands_of_the_documents(command, load_tool, monkeypatch):
    def only(parse):
        def parse_and_stop(*args, **kwargs):
            parse(*args, **kwargs)
            raise Understood

        return parse_and_stop

    program, tool, *words = command.words
    if program == 'mmsmoke':
        main, words = mmsmoke_main, [tool, *words]
    elif program == 'python':
        main = load_tool(tool.removeprefix('tools/')).main
    else:
        assert Path(ROOT, program).is_file()
        return
    words = [word.strip('[]') if '--' in word else word for word in words]
    monkeypatch.setattr(sys, 'argv', [tool, *words])
    for name in ('parse_args', 'parse_intermixed_args'):
        parse = getattr(argparse.ArgumentParser, name)
        monkeypatch.setattr(argparse.ArgumentParser, name, only(parse))
    with pytest.raises(Understood):
        main()


def test_make_has_the_targets_that_documents_name():
    targets = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    named = {one.words[1] for one in COMMANDS if one.words[0] == 'make'}
    assert named and named <= targets


def page(folder: Path, text: str) -> Path:
    path = folder / 'page.md'
    path.write_text(text)
    return path


def test_a_command_goes_over_several_lines_and_knows_what_was_set_before(tmp_path):
    rows = '# first', 'D=data/a', 'E="--x $D"  # both', 'N=1 tool --in ${D} \\', '    $E   # why'
    text = '\n'.join(['Say:', '', '```bash', *rows, '```'])
    (command,) = commands_of(page(tmp_path, text))
    assert command.line == 7
    assert command.words == ['tool', '--in', 'data/a', '--x', 'data/a']
    assert command.settings == ('D=data/a', 'E="--x $D"')


def test_a_loop_is_one_command(tmp_path):
    rows = 'for k in a b; do', '    touch $k', 'done', 'tool $(for k in 1; do', 'echo; done) x'
    loop, tool = commands_of(page(tmp_path, '\n'.join(['```bash', *rows, '```'])))
    assert run_command(loop, 9, tmp_path)['outcome'] == 'done' and (tmp_path / 'b').exists()
    assert (loop.line, tool.line) == (2, 5) and tool.text.endswith('done) x')


@pytest.mark.parametrize(
    'rows, texts',
    [
        (['tool a  # what to do', '# do', 'tool b'], ['tool a  # what to do', 'tool b']),
        (['tool a', 'for k in a; do', 'tool b'], ['tool a', 'for k in a; do\ntool b']),
        (['tool a', 'tool b \\'], ['tool a', 'tool b \\']),
        (['D="a\\1"', 'tool $D'], ['tool $D']),
    ],
)
def test_no_command_is_lost(tmp_path, rows, texts):
    commands = commands_of(page(tmp_path, '\n'.join(['```bash', *rows, '```'])))
    assert [one.text for one in commands] == texts


@pytest.mark.parametrize(
    'code, why',
    [
        ('tool CHECKPOINT a.py', 'CHECKPOINT: to be filled in'),
        ('tool configs/….py', '…: to be filled in'),
        ('tool a [--b]', '[: to be filled in'),
        ('GPUS=8 tool a.py  # CONFIG', None),
        ('tool data/mine/a.jpg', 'data/mine: to be filled in'),
        ('D=data/mine\ntool ${D}', 'data/mine: to be filled in'),
        ('D=data/mine\ntool data/s', None),
    ],
)
def test_commands_with_words_that_stand_for_something_are_not_run(tmp_path, code, why):
    (command,) = commands_of(page(tmp_path, f'```bash\n{code}\n```\n'))
    assert command.why_not == why


def test_a_page_may_say_why_a_block_is_not_run(tmp_path):
    text = '<!-- not run: needs a cluster -->\n```bash\ntrue\n```\n\n```bash\ntrue\n```\n'
    assert [one.why_not for one in commands_of(page(tmp_path, text))] == ['needs a cluster', None]


def test_outcomes_of_commands(tmp_path):
    text = '\n'.join(
        ['```bash', 'X=word', 'echo $X > a', 'cat a nothing', 'sleep 60', 'false', '```']
    )
    commands = commands_of(page(tmp_path, f'{text}\n'))
    outcomes = [run_command(one, 1, tmp_path)['outcome'] for one in commands]
    assert outcomes[0] == 'done' and (tmp_path / 'a').read_text() == 'word\n'
    assert outcomes[1].startswith('failed: cat: nothing')
    assert outcomes[2:] == ['begun', 'failed: exit status 1']


def test_a_command_ends_with_whoever_runs_it(tmp_path, monkeypatch):
    (command,) = commands_of(page(tmp_path, '```bash\ntouch a; sleep 60\n```\n'))
    running = []

    def interrupted(process, **_):
        running.append(process)
        while not (tmp_path / 'a').exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, 'communicate', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command(command, 9, tmp_path)
    assert running[0].returncode == -signal.SIGKILL


def test_what_is_not_for_running_does_not_run(tmp_path):
    text = '<!-- not run: it is dear -->\n```bash\ntouch a\n```\n'
    (command,) = commands_of(page(tmp_path, text))
    assert run_command(command, 9, tmp_path)['outcome'] == 'not run: it is dear'
    assert not (tmp_path / 'a').exists()


def test_the_tool_lists_runs_and_counts_failures(tmp_path, load_tool, run_main, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = '```bash\ntouch made\nfalse\ntool FILE\n```\n'
    page(tmp_path, text)
    tool = load_tool('analysis/run_docs.py').main
    code, said, _ = run_main(tool, 'page.md', '--list')
    assert code == 0 and said.count('can be run') == 2 and 'not run: FILE' in said
    assert not Path('made').exists()
    code, said, complaint = run_main(tool, 'page.md', '--out', 'out.json')
    assert code == 2 and '1 commands failed' in complaint and Path('made').exists()
    assert [line for line in said.splitlines() if line.startswith('    done')]
    assert run_main(tool, 'page.md', '--list', '--out', 'out.json')[0] == 2
    with pytest.raises(UserError, match='no such page'):
        pages_of(tmp_path, ['nowhere.md'])

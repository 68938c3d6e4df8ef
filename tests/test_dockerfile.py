"""The Dockerfile, whose commands run in a shell that finds nothing but recorders of calls."""

import fnmatch
import json
import os
import shutil
import subprocess

import pytest
from conftest import ROOT

COMMANDS = ('apt-get', 'rm', 'make', 'useradd', 'mkdir', 'chown')


def instructions():
    """List all instructions with their texts, each in one line."""
    lines = (ROOT / 'Dockerfile').read_text().splitlines()
    text = '\n'.join(line for line in lines if line.strip() and not line.startswith('#'))
    return [line.split(maxsplit=1) for line in text.replace('\\\n', ' ').splitlines()]


def texts_of(kind):
    return [text for name, text in instructions() if name == kind]


@pytest.fixture
def calls(tmp_path):
    """Function that runs all RUN lines; returns what they call, line by line."""

    def run(**build_arguments):
        log = tmp_path / 'calls'
        for name in (*(f'bin/{name}' for name in COMMANDS), '.venv/bin/python'):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#!/bin/sh\necho "{path.name} $*" >> {log}\n')
            path.chmod(0o755)
        for text in texts_of('RUN'):
            subprocess.run(
                [shutil.which('sh'), '-c', text],
                cwd=tmp_path,
                env=dict(PATH=str(tmp_path / 'bin'), **build_arguments),
                check=True,
            )
        return log.read_text().splitlines()

    return run


def made_of(calls):
    """Return what is asked of make and of the Python of the environment."""
    return [call for call in calls if call.startswith(('make ', 'python '))]


def test_the_image_is_made_by_make(calls):
    made = calls()
    assert made_of(made) == ['make .venv/bin/python', 'make install']
    assert {call.split()[0] for call in made} == set(COMMANDS)
    (packages,) = (call for call in made if call.startswith('apt-get install'))
    assert {'make', 'g++', 'libgl1', 'libglib2.0-0'} <= set(packages.split())
    assert '`apt install libgl1 libglib2.0-0`' in (ROOT / 'docs/install.md').read_text()


def test_torch_of_another_index_is_installed_before_all_else(calls):
    assert made_of(calls(TORCH_INDEX='https://x/cpu')) == [
        'make .venv/bin/python',
        'python -m pip install --index-url https://x/cpu torch torchvision',
        'make install',
    ]


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
def test_make_knows_what_the_image_asks_for(calls, tmp_path):
    outside = {name: value for name, value in os.environ.items() if not name.startswith('MAKE')}
    for call in made_of(calls()):
        target = call.removeprefix('make ').replace('.venv', f'{tmp_path}/venv')
        command = ['make', '-n', target, f'VENV={tmp_path}/venv', 'PYTHON=python3']
        done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True)
        assert done.returncode == 0 and 'python3 -m venv' in done.stdout, done.stderr


def test_the_command_starts_as_a_user_who_exists_and_is_not_root(calls):
    (user,), (entry,) = texts_of('USER'), texts_of('ENTRYPOINT')
    source, *_, work = texts_of('WORKDIR')
    assert user != 'root'
    assert {f'useradd --create-home {user}', f'chown {user} {work}'} <= set(calls())
    assert json.loads(entry) == [f'{source}/.venv/bin/mmsmoke']
    assert texts_of('COPY') == [f'. {source}']
    assert 'mmsmoke=mmsmoke.__main__:main' in (ROOT / 'setup.py').read_text()


def is_ignored(name, patterns):
    """Tell whether Docker leaves out a file, or a folder that it is in."""
    parts = name.split('/')
    paths = ['/'.join(parts[:end]) for end in range(1, len(parts) + 1)]
    anywhere = {pattern.removeprefix('**/') for pattern in patterns if pattern.startswith('**/')}
    return bool(anywhere & {*parts}) or any(
        fnmatch.fnmatch(path, pattern) for pattern in patterns for path in paths
    )


def test_the_image_is_given_all_that_git_knows_and_nothing_that_was_made():
    patterns = (ROOT / '.dockerignore').read_text().split()
    tracked = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split('\0')
    assert len(tracked) > 500 and not [name for name in tracked if is_ignored(name, patterns)]
    for name in ('.venv/x', 'data/a/images/b.png', 'work_dirs/x', 'a/__pycache__/b.pyc', '.git/x'):
        assert is_ignored(name, patterns), name

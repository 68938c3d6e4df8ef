"""The Makefile with Pythons that only say what they are asked to do."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')


def make(target, **variables):
    values = [f'{name}={value}' for name, value in variables.items()]
    # a make that runs these tests would hand its own variables down
    outside = {'PYTHON', 'MFLAGS', 'MAKEFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES'}
    env = {name: value for name, value in os.environ.items() if name not in outside}
    command = ['make', '-s', target, *values]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def create(tmp_path):
    """Function that has the environment created where only Pythons of these versions are."""

    def run(*versions):
        candidates = []
        for version in versions:
            major, minor = version.split('.')
            pretend = f'import sys; sys.version_info = ({major}, {minor}, 0)'
            pretend += f'; sys.version = "{version}.0 (main)"; exec(sys.argv[1])'
            text = f"""test "$1" = -m && echo "{version} makes it" && exit
exec {sys.executable} -c '{pretend}' "$2\""""
            candidates.append(script(tmp_path / version / 'python', text))
        found = ' '.join(map(str, candidates))
        return make(f'{tmp_path}/venv/bin/python', VENV=tmp_path / 'venv', CANDIDATES=found)

    return run


@pytest.mark.parametrize(
    'versions, taken',
    [
        (['3.9', '3.13'], '3.13'),
        (['3.11', '3.13'], '3.11'),
        (['3.14', '3.10'], '3.10'),
    ],
)
def test_a_tested_python_is_taken(create, versions, taken):
    assert create(*versions).stdout == f'{taken} makes it\n'


@pytest.mark.parametrize('version', ['3.14', '4.0'])
def test_a_newer_python_is_taken_and_said(create, version):
    said, made = create('3.9', version).stdout.splitlines()
    assert said == f'NOTE: tested on Python 3.10 to 3.13; this one is newer: {version}.0'
    assert made == f'{version} makes it'


def test_without_a_python_one_line_says_what_to_do(create):
    done = create('3.9', '2.7')
    assert done.returncode != 0
    assert done.stdout.startswith('No Python 3.10 or newer found; name one: make ')


@pytest.fixture
def install(tmp_path):
    """Function that installs with a pip that fails for some arguments; returns all its calls."""

    def run(*failing):
        calls = tmp_path / 'calls'
        cases = ''.join(f'  {words}) exit 1;;\n' for words in failing)
        text = f'echo "$*" >> {calls}\necho noise\ncase "$*" in\n{cases}esac'
        script(tmp_path / 'venv/bin/python', text)
        done = make(f'{tmp_path}/venv/.installed', VENV=tmp_path / 'venv')
        notes = [line for line in done.stdout.splitlines() if line.startswith('NOTE')]
        assert (tmp_path / 'venv/.installed').is_file() == (done.returncode == 0)
        return done.returncode, calls.read_text().splitlines()[2:], notes

    return run


FIRST = '-m pip install -e .[crf]'
WEIGHTS = '-m pip install --quiet -e .[weights]'
AGAIN = [
    '-m pip install cython>=3.0.11,<4 setuptools>=70',
    '-m pip install --no-build-isolation -e .[crf]',
]


def test_pydensecrf_is_built_as_it_asks(install):
    assert install() == (0, [FIRST, WEIGHTS], [])


def test_pydensecrf_is_built_with_a_newer_cython_if_its_own_fails(install):
    assert install(f'"{FIRST}"') == (0, [FIRST, *AGAIN, WEIGHTS], [])


@pytest.mark.parametrize('failing, tries', [('*crf]', 3), ('*crf]|*cython*', 2)])
def test_without_pydensecrf_the_install_goes_on_and_says_so(install, failing, tries):
    code, calls, notes = install(failing)
    assert code == 0 and calls == [*[FIRST, *AGAIN][:tries], WEIGHTS] and len(notes) == 1
    assert 'crf.log); going on without it: dense CRFs run on torch' in notes[0]


def test_without_the_package_of_weights_the_install_goes_on_and_says_so(install):
    code, calls, notes = install('*weights]')
    assert code == 0 and calls == [FIRST, WEIGHTS] and len(notes) == 1
    assert 'configs with package:// need it' in notes[0]


def test_an_install_that_fails_is_no_install(install):
    code, calls, _ = install('"-m pip install -e ."')
    assert code != 0 and calls == []

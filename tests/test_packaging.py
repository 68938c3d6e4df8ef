import configparser
import email
import importlib
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from mmengine.config import Config

import mmsmoke
import mmsmoke.registry
from mmsmoke.__main__ import main

ROOT = Path(__file__).parents[1]


def test_this_install_finds_its_configs_and_tools():
    """Editable installs too, where pip never calls a setup.py's 'develop' command."""
    mim = Path(mmsmoke.__file__).parent / '.mim'
    assert (mim / 'tools/train.py').is_file()
    assert (mim / 'configs/cam/resnet50_12e_weakseg-224.py').is_file()


@pytest.mark.parametrize(
    'base, model',
    [
        ('mmsmoke::cam/resnet50_12e_weakseg-224.py', 'mmsmoke.CAMClassifier'),
        ('mmseg::_base_/models/fcn_r50-d8.py', 'EncoderDecoder'),
        ('mmpretrain::_base_/models/resnet50.py', 'ImageClassifier'),
    ],
)
def test_configs_inherit_from_installed_packages(tmp_path, base, model):
    config = tmp_path / 'child.py'
    config.write_text(f"_base_ = '{base}'\n")
    assert Config.fromfile(config).model.type == model


def tracked_files():
    listing = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    names = [name for name in listing.stdout.decode().split('\0') if name]
    return [name for name in names if (ROOT / name).exists()]


def build(source, kind, folder):
    """Build a wheel or an sdist of a source tree, as pip and build do, into a folder."""
    code = 'import sys; from setuptools import build_meta; '
    code += f'build_meta.build_{kind}(sys.argv[1])'
    done = subprocess.run(
        [sys.executable, '-c', code, folder], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob('*.whl' if kind == 'wheel' else '*.tar.gz'))


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    source = tmp_path_factory.mktemp('source')
    for name in tracked_files():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        else:
            target.write_bytes((ROOT / name).read_bytes())
    return source


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory):
    with zipfile.ZipFile(build(source, 'wheel', tmp_path_factory.mktemp('wheel'))) as wheel:
        yield wheel


def test_a_wheel_of_the_source_distribution_is_that_of_the_tree(source, wheel, tmp_path):
    with tarfile.open(build(source, 'sdist', tmp_path)) as sdist:
        sdist.extractall(tmp_path)  # our own archive; Python 3.11.2 knows no filter
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert not (unpacked / 'tests').exists()
    with zipfile.ZipFile(build(unpacked, 'wheel', tmp_path)) as other:
        files = [{file.filename: file.CRC for file in one.infolist()} for one in (wheel, other)]
    assert files[0] == files[1]


def test_a_wheel_brings_the_command(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('/entry_points.txt'))
    commands = configparser.ConfigParser()
    commands.read_string(wheel.read(name).decode())
    module, function = commands['console_scripts']['mmsmoke'].split(':')
    assert getattr(importlib.import_module(module), function) is main


def test_a_wheel_carries_all_configs_and_all_tools_but_the_benchmarks(wheel):
    inside = set(wheel.namelist())
    expected = {
        f'mmsmoke/.mim/{name}'
        for name in tracked_files()
        if name.startswith(('configs/', 'tools/')) and not name.startswith('tools/benchmarks/')
    }
    assert expected <= inside
    assert not [name for name in inside if 'benchmarks' in name]
    assert 'mmsmoke/.mim/model-index.yml' in inside
    pages = {path.relative_to(ROOT).as_posix() for path in ROOT.glob('mmsmoke/*/*page/*')}
    assert len(pages) > 5 and pages <= inside
    assert {f for f in inside if f.endswith('registry.py')} == {'mmsmoke/registry.py'}


def metadata_of(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('.dist-info/METADATA'))
    return email.message_from_bytes(wheel.read(name))


def test_a_wheel_has_the_version_and_the_extras_that_are_told(wheel):
    metadata = metadata_of(wheel)
    assert metadata['Version'] == mmsmoke.__version__
    assert f'\n## {mmsmoke.__version__}' in (ROOT / 'CHANGELOG.md').read_text()
    text = (ROOT / 'docs/install.md').read_text().split('## Extras')[1].split('\n## ')[0]
    rows = ' '.join(line.split('|')[1] for line in text.splitlines() if line.startswith('| `'))
    assert set(re.findall(r'`(\w+)`', rows)) == set(metadata.get_all('Provides-Extra'))


def test_no_python_is_too_new_and_all_say_which_are_tested(wheel):
    metadata = metadata_of(wheel)
    assert metadata['Requires-Python'] == '>=3.10'
    prefix = 'Programming Language :: Python :: 3.'
    tested = [
        int(line.removeprefix(prefix))
        for line in metadata.get_all('Classifier')
        if line.startswith(prefix)
    ]
    first, last = f'3.{tested[0]}', f'3.{tested[-1]}'
    assert tested == list(range(tested[0], tested[-1] + 1))
    assert f'tested on {first} to {last}' in (ROOT / 'README.md').read_text()
    makefile = (ROOT / 'Makefile').read_text()
    assert f'(3, {tested[0]}) <= sys.version_info[:2] <= (3, {tested[-1]})' in makefile
    assert f'tested on Python {first} to {last}' in makefile

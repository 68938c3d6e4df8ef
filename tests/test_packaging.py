import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mmengine.config import Config

import mmsmoke
import mmsmoke.registry

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


def test_a_wheel_carries_all_configs_and_tools(tmp_path):
    source = tmp_path / 'source'
    listing = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    tracked = [name for name in listing.stdout.decode().split('\0') if name]
    for name in tracked:
        if (ROOT / name).exists():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_symlink():
                target.symlink_to((ROOT / name).readlink())
            else:
                target.write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation',
         '-w', tmp_path, source],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob('*.whl')
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f'mmsmoke/.mim/{name}'
        for name in tracked
        if name.startswith(('configs/', 'tools/')) and (ROOT / name).exists()
    }
    assert expected <= inside
    assert 'mmsmoke/.mim/model-index.yml' in inside
    assert {f for f in inside if f.endswith('registry.py')} == {'mmsmoke/registry.py'}

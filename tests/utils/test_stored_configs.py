"""Configs in checkpoints are data: what is read back, and what is refused."""

import json

import pytest
from conftest import ROOT
from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.inference.inputs import TestPipeline
from mmsmoke.utils import UserError
from mmsmoke.utils.stored_components import StoredConfig
from mmsmoke.utils.stored_configs import config_to_json, parse_literals, stored_config

CONFIGS = sorted(
    path
    for folder in ('cam', 'crossarch', 'pseudo', 'segmentors')
    for path in (ROOT / 'configs' / folder).glob('*.py')
)


@pytest.mark.parametrize('path', CONFIGS[::5], ids=lambda path: path.stem)
def test_every_config_comes_back_as_it_was(path):
    cfg = load_config(path)
    assert parse_literals(cfg.pretty_text) == cfg.to_dict()
    meta = json.loads(json.dumps(dict(mmsmoke_cfg=config_to_json(cfg))))
    stored = stored_config(meta, 'x.pth')
    assert stored.to_dict() == cfg.to_dict()
    assert isinstance(stored, StoredConfig) and TestPipeline(stored).steps
    assert stored_config(dict(cfg=cfg.pretty_text), 'x.pth').to_dict() == cfg.to_dict()


def test_tuples_stay_tuples():
    cfg = Config(dict(a=(1, (2, [3, dict(b=())])), c=[4]))
    found = stored_config(dict(mmsmoke_cfg=config_to_json(cfg)), 'x.pth')
    assert found.to_dict() == cfg.to_dict() and isinstance(found.a[1], tuple)


def test_what_json_cannot_hold_is_left_to_the_text():
    assert config_to_json(Config(dict(a={1: 2}))) is None
    assert config_to_json(Config(dict(a=dict(type=Config)))) is None


def test_a_checkpoint_without_a_config_has_none():
    assert stored_config({}, 'x.pth') is None
    assert stored_config(dict(cfg=''), 'x.pth') is None


@pytest.mark.parametrize(
    'text',
    [
        'a = 1 + 1',
        'a = f"{b}"',
        'a = b',
        'a = [b for b in (1, 2)]',
        'a = dict(b=print())',
        'a = dict(**dict(b=1))',
        'a = {**dict(b=1)}',
        'a = list(b=1)',
        'a = eval("1")',
        'a = (lambda: 1)()',
        'a.b = 1',
        'a, b = 1, 2',
        'a: int = 1',
        'a = b = 1',
        'import os',
        'def f(): pass',
        'del a',
        'a = -"x"',
        'a = True if 1 else 0',
        'a = not 1',
    ],
)
def test_code_is_refused_and_named(text):
    with pytest.raises(UserError, match=r'line 2 is code, not a value \(.'):
        parse_literals(f'x = 1\n{text}')


@pytest.mark.parametrize('text', ['a = (', 'a = 1\0', '(' * 10000, 'a =' + '[' * 5000, '  a = 1'])
def test_what_is_no_python_is_said(text):
    with pytest.raises(UserError, match=r'x\.pth: its config is refused: it is no Python text'):
        stored_config(dict(cfg=text), 'x.pth')


@pytest.mark.parametrize(
    ('meta', 'message'),
    [
        (dict(mmsmoke_cfg='{"a"'), 'cannot be read'),
        (dict(mmsmoke_cfg='[1]'), 'cannot be read'),
        (dict(mmsmoke_cfg=3), 'cannot be read'),
        (dict(mmsmoke_cfg='{"filename": 1}'), 'cannot be read'),
        (dict(cfg=3), 'is refused'),
        (
            dict(cfg="custom_imports = dict(imports=['mmsmoke.nowhere'])"),
            'module that is not there',
        ),
        (dict(cfg="model = dict(type='X', trust_remote_code=True)"), 'it names trust_remote_code'),
        (dict(cfg="model = dict(type='NoSuchModel')"), 'it names the component NoSuchModel'),
    ],
)
def test_what_cannot_be_a_config_is_said(meta, message):
    with pytest.raises(UserError, match=rf'x\.pth: its config .*{message}'):
        stored_config(meta, 'x.pth')

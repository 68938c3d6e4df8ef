"""Checkpoints, the configs in them, and options of the command line."""

import json
import sys
from typing import NamedTuple

import pytest
import torch
from conftest import ROOT
from hostile import JSON, altered, answered, damaged
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.logging import MessageHub
from tiny_trained import tiny_segmentor, trained

import mmsmoke.registry  # noqa: F401
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import config_and_weights, load_model
from mmsmoke.utils.checkpoints import read_checkpoint
from mmsmoke.utils.cli import run_parser
from mmsmoke.utils.stored_configs import config_to_json, parse_literals, stored_config


class Good(NamedTuple):
    """A small checkpoint as a training leaves it: its config, the file, and what is in it."""

    cfg: Config
    file: bytes
    content: dict

    def __repr__(self) -> str:
        return 'good'  # all of it would fill the screen with each finding


CONFIG = ROOT / 'configs/cam/resnet18-s_12e_smokestack-128.py'


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp('good')
    cfg, path = trained(folder, tiny_segmentor())
    content = torch.load(path)
    hub = MessageHub('fuzz')
    hub.update_scalar('loss', 1.0)
    content['message_hub'] = hub.state_dict()
    content['optimizer'] = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict()
    content['meta'] |= dict(epoch=1, iter=2, mmsmoke_cfg=config_to_json(cfg))
    torch.save(content, path)
    return Good(cfg, path.read_bytes(), content)


@pytest.mark.filterwarnings('ignore')
@given(data=st.data())
def test_damaged_checkpoints(good, tmp_path, data):
    path = tmp_path / 'a.pth'
    path.write_bytes(data.draw(damaged(good.file)))
    with answered():
        assert isinstance(read_checkpoint(path), dict)
    with answered():
        load_model(*config_and_weights(path, None))


@pytest.mark.filterwarnings('ignore')
@given(data=st.data())
def test_strange_checkpoints(good, tmp_path, data):
    path = tmp_path / 'a.pth'
    torch.save(data.draw(altered(good.content)), path)
    with answered():
        load_model(*config_and_weights(path, None))


@given(data=st.data())
def test_strange_configs_in_checkpoints(good, data):
    meta = dict(mmsmoke_cfg=json.dumps(data.draw(altered(good.cfg.to_dict()) | JSON)))
    with answered():
        assert isinstance(stored_config(meta, 'a.pth'), Config | None)


@given(data=st.data())
def test_damaged_texts_of_configs(good, data):
    text = data.draw(damaged(good.cfg.pretty_text.encode())).decode(errors='replace')
    with answered(), no_execution():
        assert isinstance(parse_literals(text), dict)


class no_execution:
    """Makes it an error to execute anything while it is entered."""

    watching = False

    def __enter__(self):
        if not hasattr(sys, '_fuzz_hook'):
            sys._fuzz_hook = True
            sys.addaudithook(type(self).complain)  # hooks cannot be taken away again
        no_execution.watching = True

    def __exit__(self, *_):
        no_execution.watching = False

    @staticmethod
    def complain(event, arguments):
        if no_execution.watching and event in ('exec', 'import', 'open', 'os.system'):
            raise AssertionError(f'{event} {arguments}')


WORDS = st.sampled_from(
    [
        *('model', 'backbone', 'head', 'train_cfg', 'max_epochs', 'data_root', 'size', 'type'),
        *('train_dataloader', 'dataset', 'pipeline', 'default_hooks', 'modle', 'epochs', '0', '9'),
        *('param_scheduler', 'val_evaluator', 'custom_imports', 'work_dir', 'load_from', ''),
        '_delete_',
    ]
)
VALUES = st.sampled_from(
    ['1', '-1', '0', '1e9', 'nan', 'None', 'True', '[1,2', '[(1,2)]', '()', 'a,b', '"', '', 'x']
) | st.text(max_size=6)


@given(names=st.lists(WORDS, min_size=1, max_size=4), value=VALUES, sign=st.sampled_from(['=', '']))
def test_strange_options(names, value, sign):
    option = '.'.join(names) + sign + value
    with answered():
        try:
            args = run_parser('').parse_args([str(CONFIG), '--cfg-options', option])
        except SystemExit as stop:
            assert stop.code == 2
            return
        load_config(args.config, options=args.cfg_options)

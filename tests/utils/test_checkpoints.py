"""Tests what a checkpoint may hold, and what is said of one that cannot be used."""

import argparse
import pickle
from collections import OrderedDict, defaultdict
from urllib.error import URLError

import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer, MessageHub
from torch.torch_version import TorchVersion

import mmsmoke.registry  # noqa: F401 (it guards mmengine's loaders)
from mmsmoke.utils import UserError
from mmsmoke.utils.checkpoints import (
    read_checkpoint,
    read_url,
    require_resumable,
    trusting,
)

WEIGHTS = OrderedDict(weight=torch.arange(3.0))


class Stranger:
    pass


def saved(path, **content):
    torch.save(dict(state_dict=WEIGHTS, **content), path)
    return path


def test_what_trainings_keep_is_read(tmp_path):
    hub = MessageHub('test_what_trainings_keep')
    for value in (1.0, 2.0):
        hub.update_scalar('loss', value)
    meta = dict(
        seed=np.int64(3),
        iou=np.float32(0.5),
        exact=np.array([1.0, 2.0]),
        kind=np.dtype('float16'),
        classes=('background', 'smoke'),
        settings=ConfigDict(model=dict(type='x')),
    )
    content = read_checkpoint(saved(tmp_path / 'a.pth', meta=meta, message_hub=hub.state_dict()))
    assert content['meta']['seed'] == 3 and content['meta']['exact'].tolist() == [1, 2]
    assert content['meta']['kind'].dtype == np.float16
    assert content['meta']['settings'].model.type == 'x'
    kept = content['message_hub']['log_scalars']['loss']
    assert isinstance(kept, HistoryBuffer) and kept.mean() == 1.5
    assert kept.statistics('max') == 2


def test_old_file_formats_are_read(tmp_path):
    torch.save(dict(WEIGHTS), tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / 'old.pth')['weight'].tolist() == [0, 1, 2]


class Sneak:
    """Pickled as a call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce_ex__(self, _):
        return self.call


def test_all_else_is_refused_by_name(tmp_path):
    path = saved(tmp_path / 'a.pth', meta=dict(x=Stranger()))
    with pytest.raises(
        UserError, match=r'a\.pth is refused: it names \S*Stranger, which could run'
    ):
        read_checkpoint(path)


def test_getattr_gets_nothing(tmp_path):
    for owner, name in ((HistoryBuffer, '__init__'), (HistoryBuffer, 'current'), (dict, 'update')):
        path = saved(tmp_path / 'a.pth', meta=dict(x=Sneak(getattr, owner, name)))
        assert read_checkpoint(path)['meta']['x'] is None


def test_a_log_does_not_change_the_statistics_of_others(tmp_path, monkeypatch):
    state = dict(_log_history=np.array([1.0]), _count_history=np.array([1]), max_length=9)
    monkeypatch.setattr(
        HistoryBuffer, '__getstate__', lambda _: dict(state, statistics_methods=dict(mean=set))
    )
    path = saved(tmp_path / 'a.pth', x=HistoryBuffer())
    monkeypatch.undo()
    assert read_checkpoint(path)['x'].mean() == 1
    assert HistoryBuffer([1.0, 3.0], [1, 1]).statistics('mean') == 2


def test_nothing_is_set_on_classes(tmp_path):
    # torch's rebuild function calls what it is given and sets what it is told on the result
    class_of = Sneak(OrderedDict, state=dict(_log_history=[torch.nn.Parameter]))
    current = Sneak(getattr, HistoryBuffer, 'current')
    inner = Sneak(OrderedDict, state=dict(as_subclass=current))
    given = (Sneak(OrderedDict, state=dict(_log_history=[inner])),)
    rebuild = torch._tensor._rebuild_from_type_v2
    path = saved(
        tmp_path / 'a.pth', x=Sneak(rebuild, current, class_of, given, dict(detach=torch.Size))
    )
    with pytest.raises(UserError):
        read_checkpoint(path)
    assert torch.nn.Parameter.detach is torch.Tensor.detach


@pytest.mark.parametrize(
    'kind', [np.dtype('O'), np.dtype([('a', 'f4')]), np.dtype('V8'), np.dtype('datetime64[s]')]
)
def test_dtypes_that_can_hold_pointers_are_refused(kind, tmp_path):
    with pytest.raises(UserError, match=r'a\.pth is refused: it names numpy\.dtype'):
        read_checkpoint(saved(tmp_path / 'a.pth', meta=dict(x=kind)))


@pytest.mark.parametrize(
    'value',
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6.0).reshape(2, 3).T,
        np.array([1, 2], '>i4'),
        np.array(['x', 'yz']),
        np.array([True, False]),
        np.zeros((0, 3), np.float16),
        np.array(5),
    ],
)
def test_arrays_come_back_and_can_be_kept_again(value, tmp_path):
    path = tmp_path / 'a.pth'
    for _ in range(2):
        saved(path, meta=dict(x=value))
        found = read_checkpoint(path)['meta']['x']
        assert found.dtype == value.dtype.newbyteorder('=') and np.array_equal(found, value)
        value = found


def test_what_others_keep_beside_their_weights_is_read_as_plain_values(tmp_path):
    meta = dict(
        args=argparse.Namespace(lr=0.1),
        version=TorchVersion('2.9.1'),
        slots=defaultdict(dict, {1: dict(step=2)}),
    )
    found = read_checkpoint(saved(tmp_path / 'a.pth', meta=meta))['meta']
    assert found == dict(args=dict(lr=0.1), version='2.9.1', slots={1: dict(step=2)})


def test_the_config_that_mmengine_executes_at_resume_is_dropped(tmp_path):
    path = saved(tmp_path / 'a.pth', meta=dict(config='1 / 0', cfg='x = 1'))
    assert read_checkpoint(path)['meta'] == dict(cfg='x = 1')
    with trusting():
        assert read_checkpoint(path)['meta']['config'] == '1 / 0'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is damaged, or torch.save did not write it'),
        (b'hello world', 'cannot be read as a checkpoint'),
        (b'PK\x03\x04 hello', 'is damaged, or torch.save did not write it'),
        (pickle.dumps(Stranger, 4), 'written with a newer protocol of pickle than'),
        ([1, 2], 'holds no weights: a dict of tensors by name is needed, not this list'),
        (dict(x=1), 'holds no weights: a dict of tensors by name is needed, not this dict'),
        (dict(state_dict=3), 'holds no weights: a dict of tensors by name is needed, not this int'),
        ({0: torch.zeros(1)}, 'a dict of tensors by name is needed, not this dict'),
        (dict(state_dict=WEIGHTS, meta=3), 'is damaged: its meta is no dict'),
    ],
)
def test_what_is_no_checkpoint_is_said(content, message, tmp_path):
    path = tmp_path / 'a.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match=rf'a\.pth .*{message}'):
        read_checkpoint(path)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.9, 0.99])
def test_a_cut_file_is_said(share, tmp_path):
    path = saved(tmp_path / 'a.pth', meta=dict(epoch=1))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r'a\.pth cannot be read as a checkpoint'):
        read_checkpoint(path)


def test_weights_alone_are_not_resumed(tmp_path):
    whole = dict(optimizer={}, message_hub={})
    require_resumable(saved(tmp_path / 'a.pth', meta=dict(epoch=1, iter=2), **whole))
    for meta, rest, missing in (
        (dict(epoch=1, iter=2), {}, 'optimizer'),
        (dict(epoch=1), whole, r'meta\.iter'),
    ):
        with pytest.raises(UserError, match=rf'it has no {missing}\. .*load_from=FILE'):
            require_resumable(saved(tmp_path / 'b.pth', meta=meta, **rest))


def test_a_failed_download_says_the_ways_on(tmp_path, monkeypatch):
    def unreachable(url, *_, **__):
        raise URLError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', unreachable)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    url = 'https://nowhere.invalid/resnet50.pth'
    with pytest.raises(UserError) as caught:
        mmengine.runner.checkpoint.CheckpointLoader.load_checkpoint(url, logger='silent')
    message = str(caught.value)
    file = tmp_path / 'checkpoints/resnet50.pth'
    for part in (url, 'Name or service not known', f'by hand: {file}', 'init_cfg=None'):
        assert part in message
    assert '\n' not in message
    torch.save(WEIGHTS, file)  # by hand
    assert read_url(url)['weight'].tolist() == [0, 1, 2]


def test_mmengine_s_loaders_are_ours():
    module = mmengine.runner.checkpoint
    ours = module._safe_torch_load, module.load_url
    assert {function.__module__ for function in ours} == {read_checkpoint.__module__}

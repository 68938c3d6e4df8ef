"""What a checkpoint may hold, and what is said of one that cannot be used."""

import pickle
from collections import OrderedDict
from urllib.error import URLError

import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer, MessageHub

import mmsmoke.registry  # noqa: F401 (it guards mmengine's loaders)
from mmsmoke.utils import UserError
from mmsmoke.utils.checkpoints import (
    guard_loaders,
    read_checkpoint,
    read_url,
    require_resumable,
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
    assert content['meta']['kind'] == np.float16
    assert content['meta']['settings'].model.type == 'x'
    kept = content['message_hub']['log_scalars']['loss']
    assert isinstance(kept, HistoryBuffer) and kept.mean() == 1.5
    assert kept.statistics('max') == 2


def test_old_file_formats_are_read(tmp_path):
    torch.save(dict(WEIGHTS), tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / 'old.pth')['weight'].tolist() == [0, 1, 2]


@pytest.mark.parametrize('trouble', [getattr, (HistoryBuffer, '__init__'), Stranger()])
def test_all_else_is_refused_by_name(trouble, tmp_path):
    if isinstance(trouble, tuple):
        method = trouble

        class Sneak:
            def __reduce__(self):
                return getattr, method

        trouble = Sneak()
    named = 'test_checkpoints.Stranger' if isinstance(trouble, Stranger) else 'getattr'
    path = saved(tmp_path / 'a.pth', meta=dict(x=trouble))
    if trouble is getattr:  # harmless until it is called
        assert read_checkpoint(path)['meta']['x'] is not getattr
        return
    with pytest.raises(UserError, match=rf'a\.pth is refused: it names \S*{named}, which'):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is damaged, or torch.save did not write it'),
        (b'hello world', 'is damaged, or torch.save did not write it'),
        (b'PK\x03\x04 hello', 'is damaged, or torch.save did not write it'),
        (pickle.dumps(Stranger, 4), 'is damaged, or torch.save did not write it'),
        ([1, 2], 'holds no weights: a dict of tensors is needed, not this list'),
        (dict(x=1), 'holds no weights: a dict of tensors is needed, not this dict'),
        (dict(state_dict=3), 'holds no weights: a dict of tensors is needed, not this int'),
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
    assert {function.__module__ for function in ours} == {guard_loaders.__module__}

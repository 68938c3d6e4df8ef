import pytest

from mmsmoke.engine.hooks.checkpoint_hook import AtomicLocalBackend


def test_checkpoint_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / 'epoch_1.pth'
    backend = AtomicLocalBackend()
    backend.put(b'first', path)

    def dies_half_way(self, data):
        with open(self, 'wb') as file:
            file.write(data[: len(data) // 2])
        raise OSError('disk full')

    monkeypatch.setattr(type(path), 'write_bytes', dies_half_way)
    with pytest.raises(OSError, match='disk full'):
        backend.put(b'second', path)
    assert path.read_bytes() == b'first'
    assert [p.name for p in tmp_path.iterdir()] == ['epoch_1.pth']

"""Where a monitor's pictures come from: folders, videos, streams and standard input."""

import io
import os
import threading
import time
from datetime import datetime, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from clips import frames_of, noise, write_clip
from conftest import save
from rtsp import decoded, network_camera

from mmsmoke.inference.monitor.sources import FolderSource, VideoSource, open_source, time_of_name
from mmsmoke.inference.monitor.streams import (
    PipeSource,
    StreamSource,
    split_pictures,
    without_secrets,
)
from mmsmoke.utils import DataError, UserError

PATIENCE = 20  # seconds that a thread may take on a busy machine


def utc(*parts):
    return datetime(*parts, tzinfo=timezone.utc).timestamp()


def drain(source):
    source.next_look = 0  # at once
    frames = []
    while (frame := source.poll()) is not None:
        frames.append(frame)
    return frames


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ('name', 'then'),
    [
        ('north_2026-11-30_12-05-59.jpg', utc(2026, 11, 30, 12, 5, 59)),
        ('20261130T120559.jpg', utc(2026, 11, 30, 12, 5, 59)),
        ('cam3/2026/11/30/12.05.59.png', utc(2026, 11, 30, 12, 5, 59)),
        ('2026-11-30 12:05:59.250.jpg', utc(2026, 11, 30, 12, 5, 59, 250_000)),
        ('20200101_000000/20261130_120559_250.jpg', utc(2026, 11, 30, 12, 5, 59, 250_000)),
        ('20261130_120559_7.jpg', utc(2026, 11, 30, 12, 5, 59)),  # a number, no part of a second
        ('north/2026-11-30_1205.jpg', utc(2026, 11, 30, 12, 5)),
        ('20261130-12h05.jpg', utc(2026, 11, 30, 12, 5)),
        ('2026-11-30_2460.jpg', None),
        ('2026-11-30_12.jpg', None),
        ('img_1700000000.jpg', 1700000000),
        ('img_1700000000250.jpg', 1700000000.25),
        ('20261330_120559.jpg', None),
        ('2026-11-30.jpg', None),
        ('img_0001.jpg', None),
        ('', None),
    ],
)
def test_the_time_is_that_of_the_name(name, then):
    assert time_of_name(name, utc=True) == then
    if then is not None and '17' not in name:
        local = datetime.fromtimestamp(time_of_name(name))
        assert local.hour == 12 and local.second == then % 60 // 1


def test_a_folder_gives_what_comes_by_the_order_of_names(tmp_path):
    said = []
    for k in (10, 9):
        save(tmp_path / f'img_{k}.png', np.full((4, 6, 3), (k, 0, 50), np.uint8))
    (tmp_path / '.hidden.png').write_bytes(b'')
    (tmp_path / 'notes.txt').write_text('')
    source = FolderSource('c', tmp_path, said.append, pause=0)
    frames = drain(source)
    assert [frame.position for frame in frames] == ['img_9.png', 'img_10.png']
    assert frames[0].picture[0, 0].tolist() == [50, 0, 9]  # BGR
    assert frames[0].time == (tmp_path / 'img_9.png').stat().st_mtime
    assert not source.ended and not drain(source)
    for k in (11, 3):  # one of them too late
        save(tmp_path / f'img_{k}.png', np.zeros((4, 6, 3), np.uint8))
    assert [frame.position for frame in drain(source)] == ['img_11.png']
    assert said == ['c: img_3.png comes too late (1 such): left out']
    again = FolderSource('c', tmp_path, said.append, 'img_10.png', once=True, pause=60)
    assert [frame.position for frame in drain(again)] == ['img_11.png']
    assert not drain(again) and again.ended
    assert len(said) == 1
    other = FolderSource('c', tmp_path, said.append, 'noon.png', pause=0)  # of another folder
    assert not drain(other) and said.pop() == 'c: img_10.png comes too late (4 such): left out'
    for path in tmp_path.glob('*'):
        path.unlink()
    tmp_path.rmdir()
    assert not drain(source) and 'is gone' in said[-1]
    save(tmp_path / 'img_12.png', np.zeros((4, 6, 3), np.uint8))
    assert [frame.position for frame in drain(source)] == ['img_12.png']


def test_a_file_that_is_half_written_is_waited_for(tmp_path):
    said = []
    save(
        tmp_path / 'a.jpg', np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    )
    save(tmp_path / 'b.jpg', np.zeros((4, 6, 3), np.uint8))
    whole = (tmp_path / 'a.jpg').read_bytes()
    (tmp_path / 'a.jpg').write_bytes(whole[: len(whole) // 2])
    source = FolderSource('c', tmp_path, said.append, pause=0, patience=60)
    assert source.poll() is None and not said  # and b has to wait, too
    (tmp_path / 'a.jpg').write_bytes(whole)
    assert [frame.position for frame in drain(source)] == ['a.jpg', 'b.jpg']
    (tmp_path / 'c.jpg').write_bytes(whole[:100])
    save(tmp_path / 'd.jpg', np.zeros((4, 6, 3), np.uint8))
    assert source.poll() is None
    old = time.time() - 61
    os.utime(tmp_path / 'c.jpg', (old, old))
    assert [frame.position for frame in drain(source)] == ['d.jpg']
    assert len(said) == 1 and said[0].startswith('c: left out: ') and 'c.jpg' in said[0]


def test_a_video_is_taken_at_times(tmp_path):
    frames = noise(10)
    path = write_clip(tmp_path / '2026-11-30_12-00-00.avi', frames, 'MJPG', 4)
    kept = frames_of(path)
    source = VideoSource('c', path, print, utc=True, seconds=0.5)
    found = drain(source)
    start = utc(2026, 11, 30, 12)
    assert source.ended and [one.position for one in found] == [[start, k] for k in range(0, 10, 2)]
    assert [one.time - start for one in found] == pytest.approx([0, 0.5, 1, 1.5, 2])
    for one in found:
        assert np.array_equal(one.picture, kept[one.position[1]])
    for before, left in ((start, [6, 8]), (start - 60, [0, 2, 4, 6, 8])):  # of another video all
        later = VideoSource('c', path, print, [before, 4], utc=True, seconds=0.5)
        assert [one.position[1] for one in drain(later)] == left
    unnamed = path.rename(tmp_path / 'clip.avi')
    (first, *_) = drain(VideoSource('c', unnamed, print))
    assert first.time == pytest.approx(unnamed.stat().st_mtime - 2.5)


def as_file(kind, pixels):
    return cv2.imencode(kind, pixels)[1].tobytes()


class Chunks(io.RawIOBase):
    """Gives few bytes at a time, as a pipe may."""

    def __init__(self, data, size):
        self.data, self.size = io.BytesIO(data), size

    def read1(self, _):
        return self.data.read(self.size)


@pytest.mark.parametrize('size', [1, 7, 1 << 16])
def test_pictures_that_follow_each_other_are_told_apart(size):
    rng = np.random.default_rng(0)
    pictures = [
        as_file(kind, rng.integers(0, 256, (9, 12, 3)).astype(np.uint8))
        for kind in ('.jpg', '.png', '.jpg', '.png', '.png', '.jpg')
    ]
    # a thumbnail in a JPEG has an end of its own
    inner = b'\xff\xe1' + (2 + len(pictures[0])).to_bytes(2, 'big') + pictures[0]
    pictures.append(pictures[2][:2] + inner + pictures[2][2:])
    assert [*split_pictures(Chunks(b''.join(pictures), size))] == pictures
    noisy = b'noise \xff\xd8\x89PN'.join([b'', *pictures, b''])
    assert [*split_pictures(Chunks(noisy, size))] == pictures
    cut = b''.join([pictures[0][:-40], pictures[1], pictures[2], pictures[3][:-20]])
    found = [*split_pictures(Chunks(cut, size))]
    assert pictures[2] in found
    assert [*split_pictures(Chunks(b'\xff\xd8\xff' * 50 + b'\x89PNG\r\n\x1a\n\0\0', size))] == []


def test_standard_input_gives_pictures_at_the_time_of_their_arrival():
    said, before = [], time.time()
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 12, 3)).astype(np.uint8)
    files = [as_file('.png', one) for one in pixels]
    broken = bytearray(files[1])
    broken[45] ^= 255
    vast = bytearray(as_file('.jpg', pixels[0]))
    size = vast.index(b'\xff\xc0') + 5
    vast[size : size + 4] = b'\xff\xdc' * 2
    source = PipeSource('c', said.append, io.BytesIO(files[0] + vast + broken + files[2]))
    found = []
    wait_for(lambda: ((frame := source.poll()) and found.append(frame)) or source.ended)
    assert [one.picture.tolist() for one in found] in (
        [pixels[0].tolist(), pixels[2].tolist()], [one.tolist() for one in pixels]
    )  # fmt: skip
    assert all(before <= one.time <= time.time() and one.position is None for one in found)
    assert set(said) == {'c: a picture on standard input cannot be read'}


@pytest.mark.parametrize('user', ['', 'me@', 'me:secret@', 'me:s@cret@', 'me:s/@', 'me:s?@'])
def test_passwords_are_not_repeated(user):
    address = f'{user}127.0.0.1:80/snap.jpg?user=me&password=secret'
    assert without_secrets(f'http://{address}') == 'http://127.0.0.1:80/snap.jpg'
    with pytest.raises(UserError, match=r'not ftp://$'):
        open_source('c', f'ftp://{address}', print)


@pytest.fixture
def server(tmp_path):
    """Serves the folder of the test; gives its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f'http://user:secret@127.0.0.1:{httpd.server_port}'
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_stream_is_opened_anew_when_it_ends(server, tmp_path):
    said = []
    path = write_clip(tmp_path / 'live.avi', noise(5), 'MJPG', 5)
    address = f'{server}/live.avi'
    source, found = StreamSource('c', address, said.append, seconds=0, waits=(0.01, 0.02)), []
    kept = frames_of(path)
    wait_for(lambda: ((frame := source.poll()) and found.append(frame)) or len(said) >= 2)
    source.close()
    assert not source.ended or source.done.is_set()
    assert 'has ended, after 5 pictures' in said[0] and 'secret' not in said[0]
    for one in found:
        assert any(np.array_equal(one.picture, frame) for frame in kept)
    source.thread.join(PATIENCE)
    other = StreamSource('c', address, said.append, once=True, seconds=0)
    wait_for(lambda: other.poll() is None and other.ended)


def test_an_address_of_a_single_picture_is_asked_again_and_again(server, tmp_path):
    pixels = cv2.resize(noise(1)[0], (96, 64))
    cv2.imwrite(str(tmp_path / 'snapshot.jpg'), pixels)
    address = f'{server}/snapshot.jpg'
    source, found = StreamSource('c', address, print, seconds=0, waits=(0.01, 0.02)), []
    wait_for(lambda: ((frame := source.poll()) and found.append(frame)) or len(found) >= 3)
    source.close()
    source.thread.join(PATIENCE)
    assert found[0].picture.shape == (64, 96, 3)


def test_a_network_camera_gives_its_newest_pictures_and_is_opened_anew():
    pictures = [cv2.resize(one, (128, 96), interpolation=cv2.INTER_CUBIC) for one in noise(3)]
    seen, said, found = [decoded(one).astype(int) for one in pictures], [], set()
    with network_camera(pictures, user='me:secret', most=60) as camera:
        source = StreamSource('c', camera.address, said.append, seconds=0, waits=(0.01, 0.02))

        def look():
            if (frame := source.poll()) is None:
                return len(found) == 3 and camera.opened >= 2
            far = [np.abs(frame.picture - one).mean() for one in seen]
            found.add(int(np.argmin(far)))
            assert min(far) < 5 < np.median(far)  # another decoder smooths colours
            return False

        wait_for(look)
        source.close()
        source.thread.join(PATIENCE)
        wrong = camera.address.replace('secret', 'mistaken')
        other = StreamSource('c', wrong, said.append, once=True)
        wait_for(lambda: other.ended)
    assert 'has ended, after' in said[0] and 'cannot be opened' in said[-1]
    assert not any('secret' in one or 'mistaken' in one for one in said)


def test_a_stream_that_never_opens_is_said_and_tried_again(server):
    said = []
    source = StreamSource('c', f'{server}/none.avi', said.append, waits=(0.01, 0.02))
    wait_for(lambda: len(said) >= 3)
    source.close()
    source.thread.join(PATIENCE)
    assert not source.thread.is_alive()
    assert all('none.avi cannot be opened' in one and 'secret' not in one for one in said)


def test_sources_that_are_none_are_named(tmp_path):
    for source, message in (
        (tmp_path / 'none', 'not found'),
        ('ftp://somewhere/x', 'an address begins with rtsp, rtsps, rtmp, http, https, not ftp://'),
        (save(tmp_path / 'a.png', np.zeros((4, 4, 3), np.uint8)), 'neither a folder nor a video'),
    ):
        with pytest.raises(UserError, match=message):
            open_source('c', source, print)
    (tmp_path / 'broken.mp4').write_bytes(b'none')
    with pytest.raises(DataError, match='cannot be opened as a video'):
        open_source('c', tmp_path / 'broken.mp4', print)

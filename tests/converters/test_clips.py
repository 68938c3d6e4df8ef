import cv2
import numpy as np
import pytest
from conftest import save

from mmsmoke.converters.clips import clip_label, find_clips, read_frames
from mmsmoke.utils import DataError

LEVELS = [20 * k for k in range(1, 13)]
"""Brightness of the twelve frames."""


def frames():
    return np.array([np.full((32, 48, 3), level, np.uint8) for level in LEVELS])


def write_video(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 5, (48, 32))
    for frame in frames():
        video.write(frame)
    video.release()
    return path


@pytest.fixture(params=['mp4', 'npy', 'jpg', 'frames of npy'])
def clip(request, tmp_path):
    if request.param == 'mp4':
        return write_video(tmp_path / 'clip.mp4')
    if request.param == 'npy':
        np.save(tmp_path / 'clip.npy', frames())
        return tmp_path / 'clip.npy'
    for number, frame in enumerate(frames(), 1):
        if request.param == 'jpg':
            save(tmp_path / f'clip/frame_{number}.jpg', frame)
        else:
            (tmp_path / 'clip').mkdir(exist_ok=True)
            np.save(tmp_path / f'clip/img_{number:04d}.npy', frame)
    (tmp_path / 'clip/notes.txt').touch()
    return tmp_path / 'clip'


@pytest.mark.parametrize('count, places', [(1, [6]), (3, [2, 6, 10]), (12, range(12))])
def test_frames_are_evenly_spread(clip, count, places):
    found = read_frames(clip, count)
    assert [frame.shape for frame in found] == [(32, 48, 3)] * count
    levels = [float(np.mean(frame)) for frame in found]
    assert levels == pytest.approx([LEVELS[k] for k in places], abs=4)


def test_colours_are_red_green_blue(tmp_path):
    path = tmp_path / 'red.mp4'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 5, (48, 32))
    for _ in range(3):
        video.write(np.full((32, 48, 3), (0, 0, 200), np.uint8))
    video.release()
    (frame,) = read_frames(path, 1)
    assert frame[..., 0].mean() > 150 > 60 > frame[..., 2].mean()


def test_too_short_a_clip_is_named(clip):
    with pytest.raises(DataError, match=r'clip.* has 12 frames, 13 are wanted'):
        read_frames(clip, 13)


def test_broken_clips_are_named(tmp_path):
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    with pytest.raises(DataError, match=r'a.mp4: video cannot be read'):
        read_frames(tmp_path / 'a.mp4', 1)
    (tmp_path / 'b.npy').write_bytes(b'no array')
    with pytest.raises(DataError, match=r'b.npy is no array of frames'):
        read_frames(tmp_path / 'b.npy', 1)
    (tmp_path / 'empty.npy').touch()
    with pytest.raises(DataError, match=r'empty.npy is no array of frames'):
        read_frames(tmp_path / 'empty.npy', 1)
    np.save(tmp_path / 'c.npy', np.zeros((4, 8, 8, 3), np.float32))
    with pytest.raises(DataError, match=r'c.npy: frames must be 8-bit RGB'):
        read_frames(tmp_path / 'c.npy', 1)


def test_a_video_that_was_cut_short_is_named(tmp_path, monkeypatch):
    class Cut:
        """A video of which no more than seven frames can be read."""

        def __init__(self, path):
            self.frames = [(True, frame) for frame in frames()[:7]]

        def get(self, what):
            return {cv2.CAP_PROP_FRAME_COUNT: 12.0}[what]

        def read(self):
            return self.frames.pop() if self.frames else (False, None)

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', Cut)
    with pytest.raises(DataError, match=r'a.mp4: only 7 of 12 frames can be read'):
        read_frames(tmp_path / 'a.mp4', 1)


def test_clips_are_found_wherever_they_lie(tmp_path):
    write_video(tmp_path / 'kooksfabriek_1/_ab/_ab-1.mp4')
    np.save(tmp_path / 'deep.npy', frames())
    save(tmp_path / 'x/cd-0/frame_0001.jpg', frames()[0])
    for name in ('ef-1', 'ef-2', 'other'):  # as the authors' script leaves them
        (tmp_path / name / 'img_npy').mkdir(parents=True)
        np.save(tmp_path / name / 'img_npy/img_0001.npy', frames()[0])
    found = find_clips(tmp_path, ['_ab-1', 'deep', 'cd-0', 'ef-1', 'ef-2', 'gone'])
    assert found == {
        '_ab-1': tmp_path / 'kooksfabriek_1/_ab/_ab-1.mp4',
        'deep': tmp_path / 'deep.npy',
        'cd-0': tmp_path / 'x/cd-0',
        'ef-1': tmp_path / 'ef-1/img_npy',
        'ef-2': tmp_path / 'ef-2/img_npy',
    }


STATES = (-2, -1, 3, 4, 5, 16, 19, 20, 23, 32, 47)


@pytest.mark.parametrize('admin', STATES)
@pytest.mark.parametrize('volunteers', STATES)
def test_labels_by_a_second_reading_of_the_rule(volunteers, admin):
    if -2 in (volunteers, admin):
        expected = None
    elif admin in (47, 23):
        expected = 1
    elif admin in (32, 16):
        expected = 0
    elif volunteers in (47, 23, 19):
        expected = 1
    elif volunteers in (32, 16, 20):
        expected = 0
    else:
        expected = None
    assert clip_label(volunteers, admin) == expected

"""Tests which files are videos, and what is left where one cannot be read or written."""

import pytest
from clips import frames_of, noise, write_clip
from full_disk import files_up_to
from PIL import Image
from tiny_trained import tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.inference.frames import is_video


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    return SmokeInferencer(*trained(tmp_path_factory.mktemp('model'), tiny_segmentor()))


@pytest.mark.parametrize(
    ('name', 'codec'),
    [
        ('clip.m4v', 'mp4v'),
        ('clip.3gp', 'mp4v'),
        ('clip.ts', 'mpg2'),
        ('clip.m2ts', 'mpg2'),
        ('clip.MTS', 'mpg2'),
        ('clip.webm', 'VP80'),
        ('clip.flv', 'FLV1'),
        ('clip.mjpeg', 'MJPG'),
        ('clip.mjpg', 'MJPG'),
        ('clip.avi', 'MJPG'),
    ],
)
def test_endings_of_videos(inferencer, tmp_path, name, codec):
    path = write_clip(tmp_path / name, noise(4), codec, 25)
    found = inferencer.video(path, tmp_path / 'out')
    assert [one.frame for one in found] == [0, 1, 2, 3]
    assert [one.seconds for one in found] == pytest.approx([n / 25 for n in range(4)], abs=1e-3)
    assert len(frames_of(tmp_path / 'out/videos/clip.mp4')) == 4


@pytest.mark.parametrize('name', ['export', 'clip.dav', 'clip.0001'])
def test_a_video_with_another_ending_is_known_by_its_content(inferencer, tmp_path, name):
    path = write_clip(tmp_path / 'clip.mp4', noise(3), 'mp4v', 25).rename(tmp_path / name)
    assert is_video(path) and len(inferencer.video(path)) == 3
    with pytest.raises(ValueError, match=f'{name} is a video; SmokeInferencer.video takes it'):
        inferencer(path)


def test_a_gif_is_a_video(inferencer, tmp_path):
    path = tmp_path / 'clip.gif'
    first, *others = map(Image.fromarray, noise(4))
    first.save(path, save_all=True, append_images=others, duration=80)
    found = inferencer.video(path)
    assert [one.seconds for one in found] == pytest.approx([0, 0.08, 0.16, 0.24])
    first.save(path)
    assert len(inferencer.video(path)) == 1


def test_what_opencv_would_play_is_not_always_a_video(inferencer, tmp_path):
    """It plays text files, pictures, and documents that hold pictures."""
    pictures = [Image.fromarray(picture) for picture in noise(2)]
    pictures[0].save(tmp_path / 'photo.jpg')
    (tmp_path / 'photo.jpg').rename(tmp_path / 'photo.heic')
    pictures[0].save(tmp_path / 'scan.pdf', save_all=True, append_images=pictures[1:])
    (tmp_path / 'notes.txt').write_text('a line\n' * 100)
    (tmp_path / 'empty').write_text('')
    for name in ('photo.heic', 'scan.pdf', 'notes.txt', 'empty'):
        for function in (inferencer, inferencer.video):
            with pytest.raises(ValueError, match=rf'{name} is no (image|video): '):
                function(tmp_path / name)


def test_a_disk_that_is_full_leaves_no_half_video(inferencer, tmp_path):
    """OpenCV itself says nothing."""
    path, out = write_clip(tmp_path / 'clip.avi', noise(40), 'MJPG', 25), tmp_path / 'out'
    message = r'videos/clip\.mp4 cannot be written: .* disk full'
    with files_up_to(4000), pytest.raises(ValueError, match=message):
        inferencer.video(path, out)
    assert not list((out / 'videos').iterdir())
    message = r'videos/clip\.csv cannot be written: File too large'
    with files_up_to(100), pytest.raises(ValueError, match=message):
        inferencer.video(path, out, overlays=False)
    assert not list((out / 'videos').iterdir())
    inferencer.video(path, out)
    assert len(list((out / 'videos').iterdir())) == 2


def test_nothing_stays_of_a_video_that_can_no_longer_be_opened(inferencer, tmp_path):
    path, out = write_clip(tmp_path / 'clip.avi', noise(2), 'MJPG', 25), tmp_path / 'out'
    inferencer.video(path, out)
    path.write_bytes(b'no video')
    with pytest.raises(ValueError, match='cannot be opened as a video'):
        inferencer.video(path, out)
    assert not list((out / 'videos').iterdir())

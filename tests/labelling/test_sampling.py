import numpy as np
import pytest
from clips import frames_of, noise, write_clip
from conftest import save

from mmsmoke.datasets.pictures import read_image
from mmsmoke.labelling.desk import Desk
from mmsmoke.labelling.sampling import sample_video
from mmsmoke.utils import UserError


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / 'clip.avi', noise(20), 'MJPG', 5)


@pytest.mark.parametrize(
    ('options', 'frames'),
    [({}, [0, 5, 10, 15]), (dict(every=8), [0, 8, 16]), (dict(fps=2.5), list(range(0, 20, 2)))],
)
def test_frames_become_a_data_set(clip, options, frames):
    folder = sample_video(clip, **options)
    assert folder == clip.with_suffix('')
    assert Desk(folder).names == [f'images/clip_{frame:06d}.jpg' for frame in frames]
    # all of one recording are in one split
    assert len({*Desk(folder).table.split_of.values()}) == 1
    for name, frame in zip(Desk(folder).names, frames, strict=True):
        difference = read_image(folder / name) - frames_of(clip)[frame][..., ::-1].astype(float)
        assert np.abs(difference).mean() < 3  # of another frame it is ten times as much


def test_frames_that_are_there_stay(clip, tmp_path):
    folder = sample_video(clip, tmp_path / 'out', every=10)
    labelled = folder / 'images/clip_000010.jpg'
    labelled.write_bytes(b'looked at')
    assert sample_video(clip, folder, every=5) == folder
    assert labelled.read_bytes() == b'looked at' and len([*(folder / 'images').iterdir()]) == 4


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(every=2, fps=1), 'either --every or --fps'),
        (dict(fps=0), 'fps must be above 0'),
        (dict(fps=float('nan')), 'fps must be above 0'),
        (dict(every=0), 'every must be at least 1'),
    ],
)
def test_mistakes_are_named(clip, options, message):
    with pytest.raises(UserError, match=message):
        sample_video(clip, **options)
    assert not clip.with_suffix('').exists()


def test_other_folders_are_left_alone(clip, tmp_path):
    save(tmp_path / 'clip/holiday.png', np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UserError, match='holds something else; name another folder with --out'):
        sample_video(clip)
    with pytest.raises(UserError, match='is no video'):
        sample_video(tmp_path / 'clip/holiday.png', tmp_path / 'out')


def test_videos_of_one_name_do_not_share_frames(clip, tmp_path):
    (tmp_path / 'south').mkdir()
    other = write_clip(tmp_path / 'south/clip.avi', noise(20, seed=1), 'MJPG', 5)
    folder = sample_video(clip, tmp_path / 'out')
    before = {file: file.read_bytes() for file in (folder / 'images').iterdir()}
    with pytest.raises(UserError, match='has frames of another video called clip; rename'):
        sample_video(other, folder)
    assert {file: file.read_bytes() for file in (folder / 'images').iterdir()} == before
    moved = other.rename(tmp_path / 'south/gate.avi')
    assert len([*(sample_video(moved, folder) / 'images').iterdir()]) == 2 * len(before)

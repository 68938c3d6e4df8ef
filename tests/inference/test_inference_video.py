"""Videos: which frames, how they are smoothed, and what is written."""

import csv
import os
import re

import numpy as np
import pytest
import torch
from clips import frames_of, noise, write_clip
from tiny_trained import tiny_model, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.functional import scores_to_mask
from mmsmoke.inference.frames import Video
from mmsmoke.inference.outputs import Prediction, shares_of
from mmsmoke.inference.video import annotated, smoothed

RATE = 12.5


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    return SmokeInferencer(*trained(tmp_path_factory.mktemp('model'), tiny_segmentor()))


@pytest.fixture
def clip(tmp_path):
    """Function that writes frames as a video below the folder of the test."""

    def write(frames, name='clip.avi', codec='MJPG', rate=RATE):
        return write_clip(tmp_path / name, frames, codec, rate)

    return write


@pytest.mark.parametrize('every', [1, 2, 3, 50])
def test_every_nth_frame_is_looked_at(inferencer, clip, every):
    path = clip(noise(7))
    found = inferencer.video(path, every=every, batch_size=2)
    numbers = list(range(0, 7, every))
    assert [one.frame for one in found] == numbers and Video(path, every).total == len(numbers)
    assert [one.seconds for one in found] == pytest.approx([n / RATE for n in numbers])
    frames = frames_of(path)
    expected = inferencer([frames[n] for n in numbers], batch_size=2)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.mask, other.mask) and one.shares == other.shares
        assert one.image == 'clip.avi' and one.scores is None


@pytest.mark.parametrize(
    ('spoiled', 'every', 'frames', 'message'),
    [
        ([4], 1, [0, 1, 2, 3, 5, 6, 7, 8, 9], '1 of 10 frames cannot be read'),
        ([0, 4], 2, [2, 6, 8], '2 of 5 frames cannot be read'),
        ([4], 3, [0, 3, 6, 9], None),
        ([7, 8, 9], 1, [0, 1, 2, 3, 4, 5, 6], None),  # the file says more than it has
        ([6, 7, 8, 9], 1, [0, 1, 2, 3, 4, 5], '4 of 10 frames cannot be read'),
    ],
)
def test_a_frame_that_cannot_be_read_is_left_out(
    inferencer, clip, recwarn, spoiled, every, frames, message
):
    path = clip(noise(10))
    data = bytearray(path.read_bytes())
    pictures = list(re.finditer(b'00dc....(\xff\xd8.+?\xff\xd9)', data, re.DOTALL))
    for start, end in (pictures[number].span(1) for number in spoiled):
        data[start:end] = bytes(end - start)
    path.write_bytes(data)
    found = inferencer.video(path, every=every)
    assert [one.frame for one in found] == frames
    assert [one.seconds for one in found] == pytest.approx([n / RATE for n in frames])
    said = [str(one.message) for one in recwarn if 'cannot be read' in str(one.message)]
    assert said == ([f'{path}: {message}'] if message else [])


@pytest.mark.parametrize(('stated', 'seconds'), [(2528, 2.528), (0, 6 / RATE)])
def test_the_time_of_a_frame_is_that_in_the_file(inferencer, clip, stated, seconds):
    path = clip(noise(7), 'clip.mkv')
    last, changed = (b'\x81' + time.to_bytes(2, 'big') + b'\x80' for time in (480, stated))
    assert path.read_bytes().count(last) == 1
    path.write_bytes(path.read_bytes().replace(last, changed))
    found = inferencer.video(path)
    assert [one.seconds for one in found[:6]] == pytest.approx([n / RATE for n in range(6)])
    assert found[6].seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    'model',
    [tiny_segmentor(), tiny_segmentor(out_channels=1), tiny_segmentor(3), tiny_model(1)],
    ids=['softmax', 'sigmoid', 'two classes', 'CAMs'],
)
def test_what_does_not_move_is_not_changed_by_smoothing(model, clip, tmp_path):
    classes = (
        ('smoke', 'fire') if model.get('decode_head', {}).get('num_classes') == 3 else ['smoke']
    )
    inferencer = SmokeInferencer(*trained(tmp_path, model, classes))
    path = clip(noise(1) * 6)
    plain = inferencer.video(path, batch_size=2, return_scores=True)
    smooth = inferencer.video(path, batch_size=2, smoothing=0.8, return_scores=True)
    assert plain[0].mask.any() and len(plain) == 6
    for one, other in zip(plain, smooth, strict=True):
        assert np.array_equal(one.scores, other.scores)
        # the strongest logit is the strongest probability, but for rounding
        assert (one.mask != other.mask).mean() < 0.002


def test_a_flash_is_damped(inferencer, clip):
    dark, bright = noise(2)
    frames = [dark] * 3 + [bright] + [dark] * 3
    path = clip(frames)
    plain = inferencer.video(path, return_scores=True)
    smooth = inferencer.video(path, smoothing=0.6, return_scores=True)
    flash = np.abs(plain[3].scores - plain[2].scores)
    assert flash.max() > 0.5
    assert np.allclose(np.abs(smooth[3].scores - smooth[2].scores), 0.4 * flash, atol=1e-5)
    for later in (4, 5, 6):  # what is left of it fades by the same factor
        left = np.abs(smooth[later].scores - plain[2].scores)
        assert np.allclose(left, 0.4 * 0.6 ** (later - 3) * flash, atol=1e-5)
    changed = [(smooth[k].mask != smooth[2].mask).sum() for k in range(7)]
    assert changed[3] < (plain[3].mask != plain[2].mask).sum()
    for one in smooth:
        assert one.shares == shares_of(one.mask, ['smoke'])


def test_masks_follow_from_smoothed_scores_as_the_threshold_says(inferencer, clip):
    path = clip(noise(5))
    inferencer.threshold = 0.6
    try:
        found = inferencer.video(path, smoothing=0.5, return_scores=True)
    finally:
        inferencer.threshold = None
    for one in found:
        assert np.array_equal(one.mask, one.scores[0] > 0.6)


def test_scores_are_kept_only_if_asked_for(inferencer, clip):
    path = clip(noise(2))
    for found in (inferencer.video(path, smoothing=0.5), inferencer.stream_video(path, 1, 0.5)):
        assert all(one.scores is None and one.mask is not None for one in found)


def test_smoothing_forgets_between_videos():
    def one(value):
        scores = np.full((1, 2, 2), value, np.float32)
        return None, Prediction('x', {}, scores=scores)

    for _ in range(2):
        values = [p.scores[0, 0, 0] for _, p in smoothed(map(one, (1, 0, 0)), 0.5, lambda p: p)]
        assert values == [1, 0.5, 0.25]


def test_the_annotated_video_lasts_as_long_as_the_original(inferencer, clip, tmp_path):
    path = clip(noise(10), 'clip.mp4', 'mp4v')
    before = path.read_bytes()
    told = inferencer.video(path, out_dir=tmp_path / 'out', every=4, batch_size=2)
    kept = inferencer.video(path, every=4, batch_size=2)
    assert path.read_bytes() == before
    written = sorted(file.name for file in (tmp_path / 'out').rglob('*') if file.is_file())
    assert written == ['clip.csv', 'clip.mp4']
    video = Video(tmp_path / 'out/videos/clip.mp4')
    assert video.fps == pytest.approx(RATE / 4, rel=0.01)
    frames = frames_of(video.path)
    assert len(frames) == len(told) == 3
    for frame, one, source in zip(frames, kept, frames_of(path)[::4], strict=True):
        expected = annotated(source, one, inferencer.palette)
        close = np.abs(frame.astype(int) - expected).mean()
        assert close < 0.6 * np.abs(frame.astype(int) - source).mean()
    with open(tmp_path / 'out/videos/clip.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['video'] for row in rows] == ['clip.mp4'] * 3
    assert [(row['frame'], row['seconds']) for row in rows] == [
        ('0', '0.0'), ('4', '0.32'), ('8', '0.64')
    ]  # fmt: skip
    for row, one, other in zip(rows, told, kept, strict=True):
        assert float(row['share_smoke']) == pytest.approx(other.shares['smoke'], abs=1e-4)
        assert one.mask is None and one.shares == other.shares


def test_the_annotation_is_in_the_palette_s_colours():
    picture = np.zeros((72, 96, 3), np.uint8)
    mask = np.zeros((72, 96), np.uint8)
    mask[50:] = 1
    one = Prediction('x', dict(smoke=30.6), mask=mask)
    drawn = annotated(picture, one, [[0, 0, 0], [200, 100, 0]])
    assert drawn[60, 50].tolist() == [0, 50, 100]  # half of it, in BGR
    assert drawn[:40].max() > 128 and not picture.any()


@pytest.mark.parametrize(
    ('rate', 'written'), [(240.123, 240.12), (119.88, 119.88), (999.99, 1000), (29.97, 29.97)]
)
def test_rates_are_rounded_so_that_they_can_be_written(inferencer, clip, tmp_path, rate, written):
    inferencer.video(clip(noise(2), rate=rate), tmp_path / 'out')
    assert Video(tmp_path / 'out/videos/clip.mp4').fps == pytest.approx(written)


def test_the_table_alone(inferencer, clip, tmp_path):
    inferencer.video(clip(noise(2)), tmp_path / 'out', overlays=False)
    assert [path.name for path in (tmp_path / 'out/videos').iterdir()] == ['clip.csv']


def test_nothing_stays_of_an_earlier_run(inferencer, clip, tmp_path, monkeypatch):
    path, out = clip(noise(2)), tmp_path / 'out'
    inferencer.video(path, out)
    inferencer.video(path, out, overlays=False)
    assert [file.name for file in (out / 'videos').iterdir()] == ['clip.csv']
    inferencer.video(path, out)
    assert sorted(file.name for file in (out / 'videos').iterdir()) == ['clip.csv', 'clip.mp4']
    monkeypatch.setattr('cv2.VideoCapture', lambda *_: Empty())
    with pytest.raises(ValueError, match='no frame can be read'):
        inferencer.video(path, out)
    assert not list((out / 'videos').iterdir())


@pytest.mark.parametrize('overlays', [True, False])
def test_a_video_of_somebody_else_stays(inferencer, clip, tmp_path, overlays):
    path, other = clip(noise(2)), clip(noise(2, seed=1), 'videos/clip.mp4', 'mp4v')
    before = other.read_bytes()
    with pytest.raises(ValueError, match=r'clip\.mp4 is not of an earlier run; name'):
        inferencer.video(path, tmp_path, overlays=overlays)
    assert other.read_bytes() == before


def test_names_that_are_not_utf_8_are_kept(inferencer, clip, tmp_path):
    path, out = tmp_path / os.fsdecode(b'caf\xe9.avi'), tmp_path / os.fsdecode(b'\xe9')
    clip(noise(2)).rename(path)
    inferencer.video(path, out)
    assert (out / 'videos' / path.stem).with_suffix('.mp4').is_file()
    table = (out / 'videos' / path.stem).with_suffix('.csv').read_bytes()
    assert table.count(b'\ncaf\xe9.avi,') == 2


def test_a_stream_of_frames(inferencer, clip):
    path = clip(noise(20))
    stream = inferencer.stream_video(path, every=2, batch_size=2)
    assert next(stream).frame == 0 and next(stream).frame == 2
    assert torch.is_grad_enabled()
    stream.close()


def test_what_cannot_be_done_with_a_video_is_said(inferencer, clip, tmp_path):
    path = clip(noise(2), 'videos/clip.mp4', 'mp4v')
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    (tmp_path / 'picture.png').write_bytes(b'')
    for file, options, message in (
        (tmp_path / 'broken.mp4', {}, r'broken\.mp4 cannot be opened as a video'),
        (tmp_path / 'nowhere.mp4', {}, r'nowhere\.mp4 not found'),
        (tmp_path / 'picture.png', {}, r'picture\.png is no video: .* none of \.mp4'),
        (path, dict(every=0), 'every must be at least 1, got 0'),
        (path, dict(smoothing=1), r'smoothing must be in \[0, 1\), got 1'),
        (path, dict(smoothing=-0.1), r'smoothing must be in \[0, 1\)'),
        (path, dict(batch_size=0), 'batch_size must be at least 1'),
        (path, dict(out_dir=tmp_path / 'out', every=10**9), r'written as a video; overlays=False'),
        (path, dict(out_dir=tmp_path), r'would overwrite .*clip\.mp4'),
    ):
        with pytest.raises(ValueError, match=message):
            inferencer.video(file, **options)
    assert frames_of(path)


def test_a_video_that_ends_before_its_first_frame(inferencer, clip, monkeypatch):
    path = clip(noise(2))
    monkeypatch.setattr('cv2.VideoCapture', lambda *_: Empty())
    with pytest.raises(ValueError, match='no frame can be read'):
        inferencer.video(path)


class Empty:
    def get(self, _):
        return 25.0

    def read(self):
        return False, None

    def grab(self):
        return False

    def release(self):
        pass


def test_two_classes_have_their_columns_and_thresholds_in_a_video(clip, tmp_path):
    model, weights = trained(tmp_path, tiny_model(2), ('smoke', 'steam'))
    inferencer = SmokeInferencer(model, weights, threshold=dict(smoke=0.6, steam=0.2))
    path = clip(noise(4))
    for one in inferencer.video(path, smoothing=0.5, return_scores=True):
        expected = scores_to_mask(torch.from_numpy(one.scores), [0.6, 0.2])
        assert np.array_equal(one.mask, expected.numpy())
        assert one.shares == shares_of(one.mask, ('smoke', 'steam'))
    inferencer.video(path, tmp_path / 'out')
    with open(tmp_path / 'out/videos/clip.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    kinds = ('share', 'probability')
    names = [f'{kind}_{name}' for kind in kinds for name in ('smoke', 'steam')]
    assert list(rows[0]) == ['video', 'frame', 'seconds', *names] and len(rows) == 4
    assert (tmp_path / 'out/videos/clip.mp4').is_file()

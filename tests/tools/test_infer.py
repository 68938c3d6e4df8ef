import csv
import io
import json
import os
import re
import subprocess
import sys
from contextlib import suppress

import cv2
import numpy as np
import pytest
from conftest import ROOT, draw, save
from tiny_trained import tiny_model, tiny_segmentor, trained

from mmsmoke.datasets.pictures import read_mask


@pytest.fixture
def tool(load_tool):
    return load_tool('infer.py')


@pytest.fixture
def inputs(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        save(tmp_path / f'photos/{i}.png', draw(rng, (48, 32), [1])[0])
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (48, 32)
    )
    for _ in range(4):
        writer.write(draw(rng, (48, 32), [1])[0])
    writer.release()
    return tmp_path / 'photos', tmp_path / 'clip.avi'


def test_images_and_videos_in_one_call(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    out = tmp_path / 'out'
    code, text, error = run_main(
        tool.main, weights, *inputs, '--out', out, '--every', 2, '--smoothing', 0.5,
        '--batch-size', 2, '--device', 'cpu',
    )  # fmt: skip
    assert (code, error) == (0, '')
    assert '3 images' in text and '2 frames' in text
    written = {path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file()}
    assert written == {
        'areas.csv', 'videos/clip.csv', 'videos/clip.mp4',
        *(f'masks/{i}.png' for i in range(3)), *(f'overlays/{i}.jpg' for i in range(3)),
    }  # fmt: skip


def test_areas_alone_go_to_standard_output(tool, run_main, inputs, tmp_path):
    cfg, weights = trained(tmp_path, tiny_model(1), with_config=False)
    config = tmp_path / 'config.py'
    config.write_text(cfg.pretty_text)
    arguments = (config, inputs[0], '--weights', weights)
    code, text, _ = run_main(tool.main, *arguments)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0 and [row['image'] for row in rows] == ['0.png', '1.png', '2.png']
    assert list(rows[0]) == ['image', 'share_smoke', 'probability_smoke']
    _, text, _ = run_main(tool.main, *arguments, '--threshold', 0.9)
    higher = list(csv.DictReader(io.StringIO(text)))
    for low, high in zip(rows, higher, strict=True):
        assert float(high['share_smoke']) < float(low['share_smoke'])
    code, text, _ = run_main(tool.main, config, inputs[1], '--weights', weights)
    assert code == 0 and text.startswith('video,frame,seconds,share_smoke,probability_smoke\n')


def test_large_pictures_are_cut_and_zones_kept(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    zones = tmp_path / 'zones.json'
    corners = [[0, 0], [47, 0], [47, 15], [0, 15]]
    zones.write_text(json.dumps(dict(view=[], polygons={}, ignored={'': [corners]})))
    out = tmp_path / 'out'
    options = ('--tile', 24, '--overlap', 6, '--zones', zones, '--out', out)
    code, _, error = run_main(tool.main, weights, *inputs, *options)
    assert (code, error) == (0, '')
    masks = [read_mask(path) for path in sorted((out / 'masks').iterdir())]
    assert len(masks) == 3 and any(mask[16:].any() for mask in masks)
    assert not any(mask[:16].any() for mask in masks)
    rows = list(csv.DictReader(io.StringIO((out / 'areas.csv').read_text(encoding='utf-8'))))
    for row, mask in zip(rows, masks, strict=True):
        assert float(row['share_smoke']) == pytest.approx(100 * mask[16:].mean(), abs=1e-3)
    assert (out / 'videos/clip.csv').is_file()


def test_several_videos_make_one_table(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    code, text, _ = run_main(tool.main, weights, inputs[1], inputs[1], '--every', 3)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0 and [row['frame'] for row in rows] == ['0', '3', '0', '3']


def test_names_that_are_not_utf_8_are_kept(tool, run_main, inputs, tmp_path, monkeypatch):
    _, weights = trained(tmp_path, tiny_segmentor())
    (inputs[0] / '0.png').rename(inputs[0] / os.fsdecode(b'caf\xe9.png'))
    stdout = io.TextIOWrapper(io.BytesIO(), 'utf-8')
    monkeypatch.setattr('sys.stdout', stdout)
    code, _, _ = run_main(tool.main, weights, inputs[0])
    stdout.flush()
    assert code == 0 and b'\ncaf\xe9.png,' in stdout.buffer.getvalue()


def test_mistakes_are_found_before_the_first_image(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    out, broken = tmp_path / 'out', tmp_path / 'broken.mp4'
    broken.write_bytes(b'no video')
    other = save(tmp_path / 'other/0.png', np.zeros((8, 8, 3), np.uint8))
    for arguments, message in (
        (['nowhere.mp4'], 'nowhere.mp4 not found'),
        ([broken, '--strict'], 'cannot be opened as a video'),
        (['--every', 0], 'every must be at least 1'),
        (['--smoothing', 1], 'smoothing must be in [0, 1)'),
        (['--tile', 16, '--overlap', 16], 'less than the tile of 16, got 16'),
        (['--overlap', 16], 'overlap is that of tiles: say tile, too'),
        (['--zones', 'nowhere.json'], 'nowhere.json not found'),
        (['--batch-size', 0], 'batch_size must be at least 1'),
        ([other], 'would have their results in the same files'),
    ):
        code, _, error = run_main(tool.main, '--out', out, weights, *inputs, *arguments)
        assert code == 2 and message in error and not out.exists()
    (out / 'videos').mkdir(parents=True)
    (out / 'videos/clip.mp4').write_bytes(b"somebody else's")
    code, _, error = run_main(tool.main, weights, *inputs, '--out', out)
    assert code == 2 and 'clip.mp4 is not of an earlier run' in error
    assert [path.name for path in out.iterdir()] == ['videos']


@pytest.fixture
def some_broken(inputs, tmp_path):
    """The inputs, with two broken images and two broken videos."""
    photos, clip = inputs
    for name in ('1.png', '2b.jpg'):
        (photos / name).write_bytes(b'broken')
    for name in ('a.mp4', 'z.webm'):
        (tmp_path / name).write_bytes(b'broken')
    return tmp_path / 'a.mp4', photos, clip, tmp_path / 'z.webm'


def test_what_is_broken_is_skipped(tool, run_main, some_broken, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    out = tmp_path / 'out'
    code, text, error = run_main(tool.main, weights, *some_broken, '--out', out)
    assert code == 1 and '2 images' in text and '4 frames' in text
    unreadable = "image cannot be read: cannot identify image file '{0}'"
    assert error.splitlines() == [
        *(
            f'skipped: {path}: {unreadable.format(path)}'
            for path in (some_broken[1] / '1.png', some_broken[1] / '2b.jpg')
        ),
        f'skipped: {tmp_path}/a.mp4 cannot be opened as a video',
        f'skipped: {tmp_path}/z.webm cannot be opened as a video',
        'error: skipped what cannot be read: 4 in all',
    ]
    written = {path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file()}
    assert written == {
        'areas.csv', 'videos/clip.csv', 'videos/clip.mp4',
        'masks/0.png', 'masks/2.png', 'overlays/0.jpg', 'overlays/2.jpg',
    }  # fmt: skip
    code, _, error = run_main(tool.main, weights, *some_broken, '--out', out, '--strict')
    assert code == 2 and 'a.mp4 cannot be opened' in error and error.count('\n') == 1
    assert (out / 'areas.csv').exists()  # found before the first image
    arguments = (weights, *some_broken[1:3], '--out', out, '--strict')
    code, _, error = run_main(tool.main, *arguments)
    assert code == 2 and '1.png: image cannot be read' in error and error.count('\n') == 1
    assert not (out / 'areas.csv').exists()


def test_without_a_folder_what_is_broken_is_skipped_too(tool, run_main, some_broken, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    for arguments, rows, skipped in (
        (some_broken[1:2], ['0.png', '2.png'], 2),
        ([some_broken[0], *some_broken[2:]], ['clip.avi'] * 4, 2),
        (some_broken[:1], [], 1),
        ([some_broken[1] / '1.png'], [], 1),
    ):
        code, text, error = run_main(tool.main, weights, *arguments)
        header, *lines = text.splitlines()
        assert code == 1 and header.endswith('share_smoke')
        assert [line.split(',')[0] for line in lines] == rows
        assert len(re.findall('^skipped: ', error, re.M)) == skipped
        code, _, error = run_main(tool.main, weights, *arguments, '--strict')
        assert code == 2 and error.startswith('error: ') and error.count('\n') == 1


def test_each_complaint_is_one_line(some_broken, tmp_path):
    """OpenCV and FFmpeg say nothing of their own, and no warning shows our code."""
    _, weights = trained(tmp_path, tiny_segmentor())
    (some_broken[1] / 'clip.mp4').write_bytes(b'broken')
    command = [sys.executable, ROOT / 'tools/infer.py', weights, '--device', 'cpu']
    done = subprocess.run(
        [*command, *some_broken, '--out', tmp_path / 'out'], capture_output=True, text=True
    )
    assert done.returncode == 1
    beginnings = [line.split(':')[0] for line in done.stderr.splitlines()]
    assert beginnings == ['warning', *['skipped'] * 4, 'error']


def test_standard_output_on_a_full_disk(tool, run_main, inputs, tmp_path, monkeypatch):
    _, weights = trained(tmp_path, tiny_segmentor())
    with suppress(OSError), open('/dev/full', 'w') as full:  # closing it fails, too
        monkeypatch.setattr('sys.stdout', full)
        code, _, error = run_main(tool.main, weights, inputs[0])
    assert code == 2
    assert error == 'error: standard output cannot be written: No space left on device\n'


def test_overlays_can_be_left_out(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    code, _, _ = run_main(tool.main, weights, *inputs, '--out', tmp_path / 'out', '--no-overlays')
    written = {path.name for path in (tmp_path / 'out').rglob('*') if path.is_file()}
    assert code == 0 and written == {'areas.csv', 'clip.csv', '0.png', '1.png', '2.png'}


def test_mistakes_are_one_line(tool, run_main, inputs, tmp_path):
    _, weights = trained(tmp_path, tiny_segmentor())
    for arguments, message in (
        ((weights, tmp_path / 'nowhere.jpg'), 'nowhere.jpg not found'),
        ((tmp_path / 'nowhere.pth', inputs[0]), 'nowhere.pth not found'),
        (
            (weights, 'a/clip.mp4', 'b/clip.avi', '--out', 'out'),
            '2 videos are called clip; do each with another --out',
        ),
        ((weights, *inputs), 'different tables: name a folder with --out'),
    ):
        code, _, error = run_main(tool.main, *arguments)
        assert code == 2 and error.startswith('error: ') and message in error
        assert error.count('\n') == 1

import csv
import json
from collections import defaultdict

import numpy as np
import pytest

from mmsmoke.converters.ijmond_videos import plan_ijmond_videos
from mmsmoke.converters.rise import plan_rise
from mmsmoke.utils import DataError, UserError


def frames(level):
    return np.full((6, 20, 20, 3), level, np.uint8)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture
def write(tmp_path):
    """Function that writes metadata and, for records that are to have one, a clip."""

    def write(records, name='metadata.json', without=()):
        path = tmp_path / name
        path.write_text(json.dumps(records), newline='\r\n')
        (tmp_path / 'clips').mkdir(exist_ok=True)
        for k, record in enumerate(records):
            if record['file_name'] not in without:
                np.save(tmp_path / f'clips/{record["file_name"]}.npy', frames(k))
        return path, tmp_path / 'clips'

    return write


def video(part, view, state, admin=-1, camera=0):
    return dict(
        id=1, camera_id=camera, view_id=view, file_name=f'{part}-{view}', url_part=part,
        url_root='https://ijmondcam.multix.io/videos/', start_time=0, label_state=state,
        label_state_admin=admin,
    )  # fmt: skip


VIDEOS = [
    video(f'{"_" * (k % 2)}a{k}-x', view, 23 if view else 16, camera=k % 3)
    for k in range(9)
    for view in range(2)
]


@pytest.fixture
def ijmond(load_tool, run_main):
    main = load_tool('dataset_converters/ijmond_videos.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


@pytest.fixture
def rise(load_tool, run_main):
    main = load_tool('dataset_converters/rise.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def test_frames_inherit_the_label_of_their_video(write, ijmond, tmp_path):
    odd = [video('odd', 0, 5), video('odd', 1, 23, admin=-2), video('odd', 2, 16, admin=47)]
    metadata, clips = write(VIDEOS + odd)
    code, text, error = ijmond(metadata, tmp_path / 'out', '--clips', clips, '--frames', 3)
    assert code == 0, error
    assert '10 videos with smoke, 9 without, 2 undecided' in text
    rows = rows_of(tmp_path / 'out')
    assert len(rows) == 3 * 19
    by_video = {row['video']: row for row in rows}
    assert 'odd-0' not in by_video and 'odd-1' not in by_video
    assert by_video['odd-2']['smoke'] == '1' and by_video['_a1-x-0']['smoke'] == '0'
    recordings = defaultdict(set)
    for row in rows:
        recordings[row['group']].add(row['split'])
    assert all(len(splits) == 1 for splits in recordings.values())
    assert {'train', 'val', 'test'} == set().union(*recordings.values())


def test_missing_videos_and_their_addresses(write, ijmond, tmp_path):
    metadata, clips = write(VIDEOS, without=['_a1-x-0', 'a2-x-1'])
    out, fetch = tmp_path / 'out', tmp_path / 'fetch.txt'
    code, text, _ = ijmond(metadata, out, '--clips', clips, '--fetch-list', fetch)
    assert code == 1 and '2 missing files, such as' in text and not out.exists()
    url = 'https://ijmondcam.multix.io/videos/kooksfabriek_1/_a1-x/_a1-x-0.mp4'
    assert fetch.read_text().splitlines()[:2] == [
        f'url = "{url}"',
        f'output = "{clips / "_a1-x-0.mp4"}"',
    ]
    assert ijmond(metadata, out, '--clips', clips, '--skip-broken')[0] == 0
    assert len(rows_of(out)) == 16 * 6


def test_addresses_are_quoted_and_names_lead_nowhere_else(write, ijmond, tmp_path):
    records = [{**one, 'url_root': 'https://x/"\noutput = "/etc/\\'} for one in VIDEOS[:2]]
    metadata, clips = write(records, without=[one['file_name'] for one in records])
    fetch = tmp_path / 'fetch.txt'
    ijmond(metadata, tmp_path / 'out', '--clips', clips, '--fetch-list', fetch)
    lines = fetch.read_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(r'url = "https://x/\"\noutput = \"/etc/\\hoogovens/')
    records[0]['file_name'] = '../../etc/a-1'
    metadata.write_text(json.dumps(records))
    with pytest.raises(DataError, match=r'\.\./\.\./etc/a-1 is no name of a clip'):
        plan_ijmond_videos(metadata, clips)


def test_missing_videos_move_no_other_one(write):
    complete = plan_ijmond_videos(*write(VIDEOS))
    splits = {row['image']: row['split'] for row in complete.rows}
    metadata, clips = write(VIDEOS)
    (clips / 'a0-x-0.npy').unlink()
    partial = plan_ijmond_videos(metadata, clips)
    assert len(partial.missing) == 1 and len(partial.rows) == len(splits) - 6
    assert all(splits[row['image']] == row['split'] for row in partial.rows)


def test_before_the_first_download_there_is_only_a_list(write, ijmond, tmp_path):
    metadata, clips = write(VIDEOS, without=[one['file_name'] for one in VIDEOS])
    fetch = tmp_path / 'fetch.txt'
    command = (metadata, tmp_path / 'out', '--clips', clips, '--fetch-list', fetch)
    code, text, error = ijmond(*command)
    assert code == 1 and not error and '18 missing files' in text and '9 without' in text
    assert len(fetch.read_text().splitlines()) == 36


@pytest.mark.parametrize('camera, good', [('1', True), ('9', False), (-1, False), (None, False)])
def test_cameras_go_by_number(write, camera, good):
    records = [{**one, 'camera_id': camera} for one in VIDEOS]
    if good:
        plan = plan_ijmond_videos(*write(records))
        assert {row['camera'] for row in plan.rows} == {'kooksfabriek_1'}
    else:
        with pytest.raises(DataError, match='is none of 0 to 2'):
            plan_ijmond_videos(*write(records))


def test_a_camera_held_out(write):
    plan = plan_ijmond_videos(*write(VIDEOS), held_out='kooksfabriek_2')
    cameras = {(row['camera'], row['split'] == 'test') for row in plan.rows}
    assert cameras == {('hoogovens', False), ('kooksfabriek_1', False), ('kooksfabriek_2', True)}
    with pytest.raises(UserError, match="no camera 'kooks'; there are hoogovens"):
        plan_ijmond_videos(*write(VIDEOS), held_out='kooks')


def test_a_clip_that_is_too_short_is_named(write, ijmond, tmp_path):
    metadata, clips = write(VIDEOS)
    np.save(clips / 'a0-x-0.npy', frames(1)[:2])
    code, text, _ = ijmond(metadata, tmp_path / 'out', '--clips', clips)
    assert code == 1 and 'a0-x-0.npy has 2 frames, 6 are wanted' in text


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', 'is no JSON file'),
        ('{"a": 1}', 'is not a list of records'),
        ('[{"file_name": "x"}]', "record 1 has no 'url_part'"),
    ],
)
def test_other_files_are_named(tmp_path, text, message):
    path = tmp_path / 'metadata.json'
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        plan_ijmond_videos(path, tmp_path)
    with pytest.raises(UserError, match=r'nothing.json not found. metadata_ijmond'):
        plan_ijmond_videos(tmp_path / 'nothing.json', tmp_path)


def clip(camera, view, day, state=-1, admin=-1, **more):
    name = f'{camera}-{view}-2019-02-{day:02d}-1-2-3-4-180-180-{view}{day}-1500-1700'
    states = dict(label_state=state, label_state_admin=admin)
    return dict(camera_id=camera, view_id=view, file_name=name) | (more or states)


CLIPS = [
    clip(0, view, day, admin=23 if day % 2 else 16) for view in range(8) for day in range(1, 6)
]


@pytest.mark.parametrize('splitting', ['camera', 'date'])
def test_no_two_splits_share_a_camera_or_a_date(write, splitting):
    plan = plan_rise(dict(all=write(CLIPS)[0]), write(CLIPS)[1], splitting)
    assert len(plan.rows) == 40
    pairs = {(row[splitting], row['split']) for row in plan.rows}
    assert len(pairs) == (8 if splitting == 'camera' else 5)
    assert {split for _, split in pairs} == {'train', 'val', 'test'}


def test_rise_from_metadata_to_images(write, rise, tmp_path):
    extra = [clip(1, 0, 1, state=19), clip(1, 0, 2, state=3), clip(1, 0, 3, state=23, admin=-2)]
    metadata, clips = write(CLIPS + extra)
    code, text, error = rise(metadata, tmp_path / 'out', '--clips', clips, '--frames', 2)
    assert code == 0, error
    assert '25 clips with smoke, 16 without, 2 undecided' in text
    rows = rows_of(tmp_path / 'out')
    assert len(rows) == 82
    weak = next(row for row in rows if row['camera'] == '1-0')
    assert weak['smoke'] == '1' and weak['date'] == '2019-02-01'


def test_some_clips_chosen_by_lot(write):
    metadata, clips = write(CLIPS)
    plan = plan_rise(dict(all=metadata), clips, most_clips=10)
    assert len(plan.rows) == 10 and sum(row['smoke'] for row in plan.rows) == 5
    again = plan_rise(dict(all=metadata), clips, most_clips=10)
    other = plan_rise(dict(all=metadata), clips, most_clips=10, seed=1)
    assert plan.rows == again.rows != other.rows
    with pytest.raises(UserError, match='most_clips must be at least 2, not -4'):
        plan_rise(dict(all=metadata), clips, most_clips=-4)


def test_an_official_split_keeps_its_parts_and_weights(write, rise, tmp_path):
    parts = dict(train='train', val='validation', test='test')
    for number, word in enumerate(parts.values()):
        labelled = [clip(number, 0, 1, label=1, weight=0.5), clip(number, 0, 2, label=0, weight=1)]
        write(labelled, f'metadata_{word}_split_0_by_camera.json')
    metadata, clips = tmp_path / 'metadata_train_split_0_by_camera.json', tmp_path / 'clips'
    code, _, error = rise(metadata, tmp_path / 'out', '--clips', clips, '--official')
    assert code == 0, error
    rows = rows_of(tmp_path / 'out')
    found = [(row['split'], row['camera'], row['smoke'], row['weight']) for row in rows]
    assert found[:3] == [
        ('train', '0-0', '1', '0.5'), ('train', '0-0', '0', '1'), ('val', '1-0', '1', '0.5'),
    ]  # fmt: skip
    dated = [tmp_path / f'metadata_{word}_split_by_date.json' for word in parts.values()]
    for path in dated:
        source = path.name.replace('split_by_date', 'split_0_by_camera')
        path.write_text((tmp_path / source).read_text())
    assert rise(dated[0], tmp_path / 'dates', '--clips', clips, '--official')[0] == 0
    assert {row['group'] for row in rows_of(tmp_path / 'dates')} == {'2019-02-01', '2019-02-02'}
    other = metadata.rename(tmp_path / 'all.json')
    code, _, error = rise(other, tmp_path / 'out', '--clips', clips, '--official')
    assert code == 2 and 'all.json is not the train part of an official split' in error


def test_addresses_of_missing_clips(write):
    metadata, clips = write(CLIPS, without=[CLIPS[0]['file_name']])
    plan = plan_rise(dict(all=metadata), clips)
    (missing,) = plan.missing
    assert missing.url == (
        'https://smoke.createlab.org/videos/180/2019-02-01/0-0/' + CLIPS[0]['file_name'] + '.mp4'
    )


@pytest.mark.parametrize(
    'record, message',
    [
        (dict(file_name='a-b-c', label=1), 'a-b-c is no name of a RISE clip: it has 3 parts'),
        (dict(file_name='a-b-c', label=None), 'a-b-c has the label None, not 0 or 1'),
        (dict(file_name='a-b-c'), 'a-b-c has neither label nor label_state'),
    ],
)
def test_strange_records_are_named(write, record, message):
    metadata, clips = write([record])
    with pytest.raises(DataError, match=message):
        plan_rise(dict(all=metadata), clips)

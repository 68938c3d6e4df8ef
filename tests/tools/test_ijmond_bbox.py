import csv
import json

import numpy as np
import pytest
from conftest import save


def record(video, frame, number, state, size=60, camera=1, feedback=()):
    part, view = video.rsplit('-', 1)
    return dict(
        id=number, video=dict(id=1, file_name=video, url_part=part, camera_id=camera,
                              view_id=int(view)),
        frame_number=frame, frame_timestamp=0, w_image=size, h_image=size, x_bbox=5, y_bbox=6,
        w_bbox=20, h_bbox=30, label_state=state, label_state_admin=-1, label_update_time=0,
        url_root='https://ijmondcam.multix.io/videos/', image_file_name='crop.png',
        file_path=f'bbox_batch_2/{video}/{frame}/{video}-{frame}-{number}/',
        mask_file_name='mask.png', feedback_filtered=list(feedback),
    )  # fmt: skip


RECORDS = [
    record('_ab-1', 6, 0, 3), record('_ab-1', 6, 1, 5),  # one kept, one removed: smoke
    record('_ab-1', 9, 0, 5), record('_ab-1', 9, 1, 12),  # all removed: perhaps clear
    record('_ab-1', 12, 0, 5), record('_ab-1', 12, 1, -1),  # open
    record('cd-0', 3, 0, 3), record('cd-0', 3, 1, 11), record('ef-2', 3, 0, 5),
]  # fmt: skip


@pytest.fixture
def download(tmp_path):
    def write(records=RECORDS):
        path = tmp_path / 'boxes.json'
        path.write_text(json.dumps(dict(data=records)))
        for one in records:
            shape = (one['h_image'], one['w_image'], 3)
            save(tmp_path / 'pictures' / one['file_path'] / 'crop.png', np.zeros(shape, np.uint8))
        return path, tmp_path / 'pictures'

    return write


@pytest.fixture
def convert(load_tool, run_main):
    main = load_tool('dataset_converters/ijmond_bbox.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return {row['image']: row for row in csv.DictReader(file)}


def test_boxes_become_labels_of_frames(download, convert, tmp_path):
    labels, pictures = download()
    code, text, error = convert(labels, tmp_path / 'out', '--pictures', pictures)
    assert code == 0, error
    assert '2 frames with boxes, 2 whose boxes were all removed, 1 undecided' in text
    rows = rows_of(tmp_path / 'out')
    assert {name: row['smoke'] for name, row in rows.items()} == {
        'images/_ab-1-6.png': '1',
        'images/_ab-1-9.png': '0',
        'images/cd-0-3.png': '1',
        'images/ef-2-3.png': '0',
    }
    assert rows['images/_ab-1-6.png']['boxes'] == '5 6 20 30'
    assert rows['images/cd-0-3.png']['boxes'] == '5 6 20 30;5 6 20 30'
    assert rows['images/_ab-1-9.png']['boxes'] == ''
    assert rows['images/_ab-1-6.png']['camera'] == 'kooksfabriek_1'
    assert rows['images/_ab-1-6.png']['split'] == rows['images/_ab-1-9.png']['split']


def test_weak_negatives_can_be_dropped(download, convert, tmp_path):
    labels, pictures = download()
    convert(labels, tmp_path / 'out', '--pictures', pictures, '--drop-negatives')
    assert {row['smoke'] for row in rows_of(tmp_path / 'out').values()} == {'1'}


def test_the_layout_of_the_example_is_found_too(download, convert, tmp_path):
    labels, _ = download()
    for video, frame in {(one['video']['file_name'], one['frame_number']) for one in RECORDS}:
        path = tmp_path / f'example/{video}/{frame}/{video}-{frame}.png'
        save(path, np.ones((60, 60, 3), np.uint8))
    code, _, error = convert(labels, tmp_path / 'out', '--pictures', tmp_path / 'example')
    assert code == 0, error
    assert len(rows_of(tmp_path / 'out')) == 4


def test_pictures_as_the_authors_script_saves_them(download, convert, tmp_path):
    labels, _ = download()
    records = json.loads(labels.read_text())['data']
    for number, one in enumerate(records):
        one['id'] = 100 + number
        if number % 2 == 0:  # one of a frame is enough
            save(tmp_path / f'saved/img/{one["id"]}.png', np.ones((60, 60, 3), np.uint8))
    labels.write_text(json.dumps(dict(data=records)))
    code, _, error = convert(labels, tmp_path / 'out', '--pictures', tmp_path / 'saved')
    assert code == 0, error
    assert len(rows_of(tmp_path / 'out')) == 4


def test_missing_frames_and_wrong_sizes_are_named(download, convert, tmp_path):
    labels, pictures = download()
    (pictures / RECORDS[0]['file_path'] / 'crop.png').unlink()
    fetch = tmp_path / 'fetch.txt'
    command = (labels, tmp_path / 'out', '--pictures', pictures)
    code, text, _ = convert(*command, '--fetch-list', fetch)
    assert code == 1 and '1 missing file, such as' in text
    url = 'https://ijmondcam.multix.io/videos/bbox_batch_2/_ab-1/6/_ab-1-6-0/crop.png'
    assert f'url = "{url}"' in fetch.read_text()
    save(pictures / RECORDS[0]['file_path'] / 'crop.png', np.zeros((60, 50, 3), np.uint8))
    code, text, _ = convert(*command)
    assert code == 1 and 'is 50x60, its boxes were drawn on 60x60' in text
    assert not (tmp_path / 'out/images/_ab-1-6.png').exists()


@pytest.mark.parametrize('key', ['file_name', 'file_path'])
def test_names_lead_nowhere_else(download, convert, tmp_path, key):
    labels, pictures = download()
    content = json.loads(labels.read_text())
    one = content['data'][0]
    (one['video'] if key == 'file_name' else one)[key] = '../../x'
    labels.write_text(json.dumps(content))
    code, _, error = convert(labels, tmp_path / 'out', '--pictures', pictures)
    assert code == 2 and 'record 0: ../../x' in error and 'is no name of a picture' in error

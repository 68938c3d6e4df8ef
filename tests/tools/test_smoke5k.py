import csv

import numpy as np
import pytest
from conftest import save
from PIL import Image

from mmsmoke.converters.smoke5k import find_pictures, kind_of, plan_smoke5k
from mmsmoke.datasets.smokestack.scenes import Smokestack
from mmsmoke.utils import UserError

SCENES = [Smokestack(size=64).scene('smoke_only', k) for k in range(12)]
TRAIN = ['1_10', '2_7', 'ckavhrmva988k0781js1xa28t', '1499548043_+00780', 'image_00004',
         'Frame0012', 'image_00005', 'ckavhrmva988k0781js1xa28u']  # fmt: skip
TEST = ['image_00004', 'ckavhrmva988k0781js1xa28v', '1499547043_+00780']


@pytest.fixture
def download(tmp_path):
    """Function that writes pictures as they are distributed; scenes by number."""

    def write(train=tuple(range(8)), test=(8, 9, 10), below='SMOKE5K/SMOKE5K'):
        folder = tmp_path / 'download'
        for split, stems, scenes in (('train', TRAIN, train), ('test', TEST, test)):
            for stem, number in zip(stems, scenes, strict=True):
                scene = SCENES[number]
                place = folder / below / split
                save(place / 'img' / f'{stem}.jpg', scene.image, quality=95)
                save(place / 'gt' / f'{stem}.png', (scene.smoke * 255).astype(np.uint8))
        (folder / below / 'train/img/.hidden.jpg').touch()
        (folder / below / 'train/img/notes.txt').touch()
        return folder

    return write


@pytest.fixture
def convert(load_tool, run_main):
    main = load_tool('dataset_converters/smoke5k.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return {row['image']: row for row in csv.DictReader(file)}


@pytest.mark.parametrize('below', ['', 'smoke5k', 'SMOKE5K/SMOKE5K'])
def test_every_layout_is_found(download, below):
    pictures, alone = find_pictures(download(below=below))
    assert len(pictures) == 11 and not alone


def test_files_and_their_kinds(download, convert, tmp_path):
    folder, out = download(), tmp_path / 'out'
    code, text, error = convert(folder, out)
    assert code == 0, error
    assert '9 photographs and 2 composites show 11 scenes' in text
    assert '0 of 3 test images' in text and 'samples.png' in text
    rows = rows_of(out)
    assert len(rows) == 11 and {row['smoke'] for row in rows.values()} == {'1'}
    kinds = [rows[f'images/train/{stem}.jpg']['kind'] for stem in TRAIN]
    assert kinds == ['synthetic', 'synthetic', 'hpwren', 'figlib', 'adriatic', 'video',
                     'adriatic', 'hpwren']  # fmt: skip
    # the same stem in both splits, with different content
    for number, split in ((4, 'train'), (8, 'test')):
        original = folder / 'SMOKE5K/SMOKE5K' / split / 'img/image_00004.jpg'
        assert (out / f'images/{split}/image_00004.jpg').read_bytes() == original.read_bytes()
        mask = Image.open(out / f'masks/{split}/image_00004.png')
        assert np.array_equal(mask, SCENES[number].smoke)


def test_the_picture_that_is_upside_down_is_turned(download, convert, tmp_path):
    convert(download(), tmp_path / 'out')
    name, scene = 'test/1499547043_+00780', SCENES[10]
    mask = np.asarray(Image.open(tmp_path / f'out/masks/{name}.png'))
    assert np.array_equal(mask, scene.smoke[::-1, ::-1])
    image = np.asarray(Image.open(tmp_path / f'out/images/{name}.jpg')).astype(int)
    assert np.abs(image - scene.image[::-1, ::-1]).mean() < 6


def test_leaks_are_reported_and_scenes_kept_together(download, convert, tmp_path):
    folder = download(train=(0, 1, 2, 3, 4, 5, 6, 2), test=(4, 9, 2))
    code, text, _ = convert(folder, tmp_path / 'out', '--split', 'official')
    assert code == 0 and '2 of 3 test images of the official split show a scene' in text
    rows = rows_of(tmp_path / 'out')
    leaking = {name for name, row in rows.items() if row['leak'] == '1'}
    assert leaking == {f'images/test/{TEST[k]}.jpg' for k in (0, 2)}
    assert {name.split('/')[1] for name, row in rows.items() if row['split'] == 'test'} == {'test'}
    assert {row['split'] for name, row in rows.items() if '/train/' in name} == {'train', 'val'}
    assert convert(folder, tmp_path / 'new', '--split', 'scene')[0] == 0
    new = rows_of(tmp_path / 'new')
    assert len({(row['group'], row['split']) for row in new.values()}) == 8
    same = [f'images/train/{TRAIN[2]}.jpg', f'images/train/{TRAIN[7]}.jpg']
    assert len({new[name]['group'] for name in same}) == 1


def test_composites_can_be_left_out(download):
    plan = plan_smoke5k(download(), synthetic=False)
    assert len(plan.rows) == 9 and 'synthetic' not in {row['kind'] for row in plan.rows}


@pytest.mark.parametrize('spoilt', ['grey', 'rgba', 'broken'])
def test_bad_masks_are_named(download, convert, tmp_path, spoilt):
    folder = download()
    path = folder / 'SMOKE5K/SMOKE5K/train/gt/image_00005.png'
    if spoilt == 'grey':
        save(path, np.full((64, 64), 100, np.uint8))
    elif spoilt == 'rgba':
        save(path, np.zeros((64, 64, 4), np.uint8))
    else:
        path.write_bytes(path.read_bytes()[:40])
    code, text, _ = convert(folder, tmp_path / 'out')
    message = 'cannot be read' if spoilt == 'broken' else 'must be black and white'
    assert code == 1 and f'{path}: mask {message}' in text
    code, text, _ = convert(folder, tmp_path / 'out', '--skip-broken')
    assert code == 0 and len(rows_of(tmp_path / 'out')) == 10


def test_bad_images_are_named(download, convert, tmp_path):
    folder = download()
    top = folder / 'SMOKE5K/SMOKE5K'
    path = top / 'test/img/image_00004.jpg'
    path.write_bytes(path.read_bytes()[:-300])
    save(top / 'train/img/2_7.jpg', np.zeros((30, 64, 3), np.uint8))
    code, text, _ = convert(folder, tmp_path / 'out')
    assert code == 1 and not (tmp_path / 'out/labels.csv').exists()
    assert f'{path}: image cannot be read' in text
    assert '2_7.png: mask is 64x64, image is 64x30' in text


def test_frames_of_one_fire_belong_together(download):
    folder = download()
    old = folder / 'SMOKE5K/SMOKE5K/train'
    for kind, suffix in (('img', 'jpg'), ('gt', 'png')):  # 180 seconds after the same outbreak
        (old / kind / f'1499548043_+00780.{suffix}').rename(
            old / kind / f'1499546443_+00180.{suffix}'
        )
    groups = {row['image']: row['group'] for row in plan_smoke5k(folder).rows}
    same = ['images/train/1499546443_+00180.jpg', 'images/test/1499547043_+00780.jpg']
    assert len({groups[name] for name in same}) == 1 and len(set(groups.values())) == 10


def test_a_picture_without_partner_is_named_and_can_be_left_out(download, convert, tmp_path):
    folder = download(below='')
    (folder / 'test/gt/image_00004.png').unlink()
    (folder / 'train/img/2_7.jpg').unlink()
    (folder / 'train/gt/._2_8.png').touch()  # as macOS leaves them
    code, text, _ = convert(folder, tmp_path / 'out')
    assert code == 1 and not (tmp_path / 'out').exists()
    assert 'image_00004.jpg has no mask test/gt/image_00004.png' in text
    assert '2_7.png has no image in train/img' in text
    assert convert(folder, tmp_path / 'out', '--skip-broken')[0] == 0
    assert len(rows_of(tmp_path / 'out')) == 9


def test_what_was_left_out_decides_the_splits_so_mending_starts_anew(download, convert, tmp_path):
    folder = download(below='')
    mask = folder / 'test/gt/image_00004.png'
    mask.rename(mask.with_suffix('.away'))
    convert(folder, tmp_path / 'out', '--skip-broken')
    mask.with_suffix('.away').rename(mask)
    code, _, error = convert(folder, tmp_path / 'out')
    assert code == 2 and 'pass --overwrite' in error
    assert convert(folder, tmp_path / 'out', '--overwrite')[0] == 0


def test_another_source_is_not_mixed_in(download, convert, tmp_path):
    folder = download(below='')
    assert convert(folder, tmp_path / 'out')[0] == 0
    save(folder / 'train/gt/2_7.png', np.zeros((64, 64), np.uint8))
    code, _, error = convert(folder, tmp_path / 'out')
    assert code == 2 and 'was made with source_sha256' in error


def test_another_folder_says_where_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r'no train/img and test/img in .*Transmission-BVM'):
        find_pictures(tmp_path)


def test_unknown_names_have_no_kind():
    assert kind_of('IMG 1234') == 'other' and kind_of('10_3') == 'other'

"""What the inferencer reads and writes, and what it says when it cannot."""

import os

import numpy as np
import pytest
import torch
from conftest import save
from mmengine.config import Config
from photos import table, write_photos
from PIL import Image
from tiny_trained import PIPELINE, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.visualization import overlay_mask


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return trained(tmp_path_factory.mktemp('model'), tiny_segmentor())


@pytest.fixture(scope='module')
def inferencer(model):
    return SmokeInferencer(*model)


@pytest.fixture
def photos(tmp_path):
    folder = write_photos(tmp_path / 'photos')
    (folder / 'notes.txt').write_text('no image')
    save(folder / '.hidden.png', np.zeros((8, 8, 3), np.uint8))
    return folder


def test_files_have_the_names_of_the_images(inferencer, photos, tmp_path):
    out = tmp_path / 'out'
    kept = inferencer(photos)
    told = inferencer(photos, out_dir=out, batch_size=2)
    names = ['a.png', 'b/1.JPG', 'b/2.jpg', 'b/c/3.png']
    assert [one.image for one in told] == names
    written = {path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file()}
    masks = ['masks/a.png', 'masks/b/1.png', 'masks/b/2.png', 'masks/b/c/3.png']
    overlays = [name.replace('masks', 'overlays').replace('.png', '.jpg') for name in masks]
    assert written == {*masks, *overlays, 'areas.csv'}
    for one, other, name in zip(kept, told, masks, strict=True):
        assert other.mask is None and one.shares == other.shares
        with Image.open(out / name) as file:
            assert file.mode == 'P' and file.getpalette()[:6] == [
                value for colour in inferencer.palette for value in colour
            ]
            assert np.array_equal(np.array(file), one.mask)
    rows = table(out / 'areas.csv')
    assert [row['image'] for row in rows] == names
    assert [float(row['share_smoke']) for row in rows] == pytest.approx(
        [one.shares['smoke'] for one in kept], abs=1e-4
    )
    assert list(rows[0]) == ['image', 'share_smoke']
    picture = np.array(Image.open(photos / 'a.png'))
    drawn = np.array(Image.open(out / 'overlays/a.jpg')).astype(int)
    expected = overlay_mask(picture, kept[0].mask, inferencer.palette)
    assert np.abs(drawn - expected).mean() < 3 < np.abs(drawn - picture).mean()


def test_overlays_can_be_left_out(inferencer, photos, tmp_path):
    inferencer(photos, tmp_path / 'out', overlays=False)
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['areas.csv', 'masks']


def test_results_among_the_images_are_not_taken_for_images(inferencer, photos):
    for _ in range(2):
        found = inferencer(photos, out_dir=photos / 'out')
        assert len(found) == 4
    for folder in ('masks', 'overlays'):  # of the image itself
        result = next((photos / 'out' / folder).rglob('a.*'))
        with pytest.raises(ValueError, match='is itself a result'):
            inferencer(result, out_dir=photos / 'out')


def test_files_folders_and_arrays_in_one_list(inferencer, photos, tmp_path):
    array = np.zeros((8, 8, 3), np.uint8)
    found = inferencer([photos / 'b', str(photos / 'a.png'), array, array], tmp_path / 'out')
    names = ['1.JPG', '2.jpg', 'c/3.png', 'a.png', 'array_0', 'array_1']
    assert [one.image for one in found] == names
    assert (tmp_path / 'out/masks/array_1.png').is_file()


@pytest.mark.parametrize('other', ['photos/b/1.png', 'more/1.jpeg'])
def test_no_result_overwrites_another(inferencer, photos, tmp_path, other):
    other = save(tmp_path / other, np.zeros((8, 8, 3), np.uint8))
    inputs = [photos / 'b', other]
    assert len(inferencer([photos / 'b', other.parent])) >= 4  # nothing is written
    with pytest.raises(ValueError, match=r'1\.\w+ and .*1\.\w+ would have .* the same files'):
        inferencer(inputs, out_dir=tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_one_file_named_twice_is_no_other(inferencer, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    found = inferencer([photos / 'a.png', 'a.png'], out_dir=tmp_path / 'out')
    assert [one.image for one in found] == ['a.png', 'a.png']


def test_folders_may_have_the_names_of_files(inferencer, photos, tmp_path):
    save(photos / 'frames.png/1.png', np.zeros((8, 8, 3), np.uint8))
    (photos / 'b').rename(photos / 'day.mp4')
    found = inferencer(photos)
    names = ['a.png', 'day.mp4/1.JPG', 'day.mp4/2.jpg', 'day.mp4/c/3.png', 'frames.png/1.png']
    assert [one.image for one in found] == names
    assert len(inferencer(photos / 'day.mp4')) == 3
    (tmp_path / 'gone.png').symlink_to('nowhere')
    with pytest.raises(ValueError, match=r'gone\.png: image cannot be read'):
        inferencer(tmp_path)


def test_names_that_are_not_utf_8_are_kept(inferencer, photos, tmp_path):
    name = os.fsdecode(b'caf\xe9.png')
    (photos / 'a.png').rename(photos / name)
    assert inferencer(photos, out_dir=tmp_path / 'out')[3].image == name
    assert b'\ncaf\xe9.png,' in (tmp_path / 'out/areas.csv').read_bytes()
    assert (tmp_path / 'out/masks' / name).is_file()


def test_a_data_set_is_no_place_for_results(inferencer, tiny_dataset):
    root = tiny_dataset()
    before = {path: path.read_bytes() for path in root.rglob('*.png')}
    with pytest.raises(ValueError, match='is a data set; results would overwrite its masks'):
        inferencer(root / 'images', out_dir=root)
    assert before == {path: path.read_bytes() for path in root.rglob('*.png')}


@pytest.mark.parametrize('folder', ['masks', 'overlays'])
def test_masks_of_somebody_else_are_no_place_for_results(inferencer, photos, folder):
    truth = save(photos.parent / folder / 'a.png', np.zeros((8, 8), np.uint8))
    before = truth.read_bytes()
    with pytest.raises(ValueError, match=f'{folder} is not of an earlier run; name another folder'):
        inferencer(photos, out_dir=photos.parent)
    assert truth.read_bytes() == before and not list(photos.parent.glob('*.csv'))


def test_an_interrupted_run_leaves_no_table_that_looks_complete(inferencer, photos, tmp_path):
    out = tmp_path / 'out'
    inferencer(photos, out_dir=out)
    sound = (photos / 'b/2.jpg').read_bytes()
    (photos / 'b/2.jpg').write_bytes(sound[:300])
    for _ in range(2):
        with pytest.raises(ValueError, match=r'b/2\.jpg: image cannot be read'):
            inferencer(photos, out_dir=out, batch_size=1)
        assert [path.name for path in out.glob('*.csv')] == ['areas.unfinished.csv']
    (photos / 'b/2.jpg').write_bytes(sound)
    inferencer(photos, out_dir=out)
    assert [path.name for path in out.glob('*.csv')] == ['areas.csv']
    assert len(table(out / 'areas.csv')) == 4


def test_no_overlay_stays_above_a_mask_that_is_new(inferencer, photos, tmp_path):
    inferencer(photos, tmp_path / 'out')
    inferencer(photos / 'a.png', tmp_path / 'out', overlays=False)
    left = {path.name for path in (tmp_path / 'out/overlays').rglob('*.jpg')}
    assert left == {'1.jpg', '2.jpg', '3.jpg'}


def test_no_bar_where_nobody_sees_it(inferencer, photos, capsys):
    inferencer(photos)
    assert capsys.readouterr().err == ''


def test_what_cannot_be_an_input_is_said(inferencer, photos, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'clip.mp4').write_bytes(b'')
    flat, wrong = np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3))
    for inputs, message in (
        ([], 'no images given'),
        (tmp_path / 'empty', 'no images found in .*empty'),
        (tmp_path / 'nowhere', 'nowhere not found'),
        (photos / 'notes.txt', r'notes\.txt is no image: its name ends in none of \.jpg'),
        (tmp_path / 'clip.mp4', r'clip\.mp4 is a video; SmokeInferencer\.video'),
        (flat, r'must be uint8 \[H, W, 3\] in the order BGR, got uint8 \[8, 8\]'),
        ([wrong], r'got float64 \[8, 8, 3\]'),
    ):
        with pytest.raises(ValueError, match=message):
            inferencer(inputs)
    with pytest.raises(ValueError, match='batch_size must be at least 1, got 0'):
        inferencer(photos, batch_size=0)


def test_what_cannot_be_a_model_is_said(model, tmp_path):
    cfg, weights = model
    text, bare = tmp_path / 'text.pth', tmp_path / 'bare.pth'
    text.write_text('no checkpoint')
    state = torch.load(weights)['state_dict']
    torch.save(dict(state_dict=state), bare)
    smaller, _ = cfg.copy(), None
    smaller.model = tiny_segmentor(4)
    less, unnormalised, more = (tmp_path / f'{name}.pth' for name in ('less', 'bn', 'more'))
    torch.save(dict(list(state.items())[3:]), less)
    torch.save({k: v for k, v in state.items() if not k.endswith('running_mean')}, unnormalised)
    torch.save({**state, 'backbone.layer1.2.conv1.weight': torch.zeros(1)}, more)
    for arguments, message in (
        ((cfg,), 'weights are missing'),
        (('nowhere.py', weights), r'config nowhere\.py not found'),
        (('nowhere.pth',), r'checkpoint nowhere\.pth not found'),
        ((cfg, 'nowhere.pth'), r'checkpoint nowhere\.pth not found'),
        ((text,), r'text\.pth cannot be read as a checkpoint'),
        ((bare,), r'bare\.pth does not hold its config'),
        ((cfg, less), r'less\.pth does not fit the model: it has no backbone'),
        ((cfg, unnormalised), r'it has no backbone\.bn1\.running_mean \(\d+ such names in all\)'),
        (
            (cfg, more),
            r'does not fit the model: the model has no backbone\.layer1\.2\.conv1\.weight',
        ),
        ((smaller, weights), r'does not fit the model: size mismatch for decode_head'),
        ((cfg, weights, 'tuba'), 'device tuba cannot be used'),
    ):
        with pytest.raises(ValueError, match=message):
            SmokeInferencer(*arguments)
    for threshold in (-0.1, 1):
        with pytest.raises(ValueError, match=r'threshold must be in \[0, 1\)'):
            SmokeInferencer(cfg, weights, threshold=threshold)


def test_old_checkpoints_do_not_count_batches(model, tmp_path):
    cfg, weights = model
    state = torch.load(weights)['state_dict']
    old = {k: v for k, v in state.items() if not k.endswith('num_batches_tracked')}
    torch.save(old, tmp_path / 'old.pth')
    assert len(old) < len(state) and SmokeInferencer(cfg, tmp_path / 'old.pth')


def test_what_a_config_must_say_about_images_is_said(model):
    cfg, weights = model
    unnamed = dict(type='BaseSegDataset', pipeline=PIPELINE[:1], data_prefix=dict(img_path=''))
    for dataset, message in (
        (None, 'no test_dataloader'),
        (dict(cfg.test_dataloader.dataset, pipeline=PIPELINE[1:]), 'must load an image'),
        (unnamed, 'does not name its classes'),
    ):
        changed = Config(dict(cfg.to_dict(), test_dataloader=dataset and dict(dataset=dataset)))
        with pytest.raises(ValueError, match=message):
            SmokeInferencer(changed, weights)
    nested = dict(type='ConcatDataset', datasets=[cfg.test_dataloader.dataset.to_dict()])
    changed = Config(dict(cfg.to_dict(), test_dataloader=dict(dataset=nested)))
    assert SmokeInferencer(changed, weights).classes == ('smoke',)


def test_a_model_without_maps_is_refused(tmp_path, photos):
    from label_runs import tiny_model

    model = tiny_model(1)
    model.update(
        type='ImageClassifier',
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=2, in_channels=8),
    )
    inferencer = SmokeInferencer(*trained(tmp_path, model))
    with pytest.raises(ValueError, match='ImageClassifier gives neither maps nor masks'):
        inferencer(photos)
    inferencer.threshold = 0.5
    with pytest.raises(ValueError, match='ImageClassifier gives no scores'):
        inferencer(photos)

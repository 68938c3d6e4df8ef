import csv
import os

import numpy as np
import pytest
import torch
from conftest import save, write_table
from PIL import Image
from tiny_trained import tiny_distiller, tiny_model, tiny_segmentor, trained
from torch import nn

from mmsmoke.datasets.pictures import read_mask
from mmsmoke.functional import label_entropy, mask_disagreement, pixel_entropy
from mmsmoke.inference.inferencer import SmokeInferencer
from mmsmoke.inference.suggest import noting_features, suggest
from mmsmoke.utils import UserError


def inferencer(folder, model, **options):
    cfg, weights = trained(folder, model, **options)
    return SmokeInferencer(cfg, weights, device='cpu')


@pytest.fixture
def segmentor(tmp_path):
    return inferencer(tmp_path, tiny_segmentor())


@pytest.fixture
def classifier(tmp_path):
    return inferencer(tmp_path, tiny_model(1))


def rows_of(out):
    with open(out / 'suggested.csv', newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture
def data(tiny_dataset):
    return tiny_dataset(splits=dict(train=8, val=5, test=5, extra=3))


def test_it_ranks_by_the_entropy_of_pixels(data, segmentor, tmp_path):
    found = suggest(data, [segmentor], tmp_path / 'out', count=8)
    assert not found.skipped
    rows = rows_of(tmp_path / 'out')
    assert list(rows[0]) == ['image', 'score', 'rank', 'group'] and len(rows) == 8
    for row in rows:
        (one,) = segmentor.stream(data / row['image'], return_scores=True)
        expected = float(pixel_entropy(torch.from_numpy(one.scores)))
        assert float(row['score']) == pytest.approx(expected, abs=1e-5)
    ordered = sorted(rows, key=lambda row: -float(row['score']))
    assert [row['rank'] for row in ordered] == [str(k) for k in range(1, 9)]
    assert rows[0] == ordered[0]


def test_a_classifier_is_unsure_of_labels(data, classifier, tmp_path):
    suggest(data, [classifier], tmp_path / 'out', count=3)
    for row in rows_of(tmp_path / 'out'):
        (one,) = classifier.stream(data / row['image'])
        expected = float(label_entropy(torch.tensor([one.probabilities['smoke']])))
        assert float(row['score']) == pytest.approx(expected, abs=1e-5)


def test_a_segmentor_and_a_distillers_maps_disagree(data, segmentor, tmp_path):
    other = inferencer(tmp_path, tiny_distiller())
    out = tmp_path / 'out'
    suggest(data, [other, segmentor], out, 'disagreement', count=3)
    for row in rows_of(out):
        masks = [
            torch.from_numpy(next(iter(model.stream(data / row['image']))).mask)
            for model in (other, segmentor)
        ]
        assert float(row['score']) == pytest.approx(float(mask_disagreement(*masks)), abs=1e-5)
        name = row['image'].removeprefix('images/')
        np.testing.assert_array_equal(read_mask(out / 'masks' / name), masks[0].numpy())
    with Image.open(out / 'suggested.png') as sheet:
        assert sheet.width == 3 * 192 + 4 * 6 and sheet.height > 3 * 192


@pytest.mark.parametrize('by', ['entropy', 'random'])
def test_images_for_measuring_are_never_suggested(data, segmentor, tmp_path, by):
    models = [segmentor] if by == 'entropy' else []
    found = suggest(data, models, tmp_path / 'out', by, 99, ['train', 'extra'])
    assert len(found.chosen) == 11
    assert {row['image'].split('/')[1].split('_')[0] for row in rows_of(tmp_path / 'out')} == {
        'train', 'extra'
    }  # fmt: skip
    for split in ('val', 'test'):
        with pytest.raises(UserError, match=f'images of {split} are for measuring'):
            suggest(data, models, tmp_path / 'no', by, splits=['train', split])
    for folder in (data / 'images', data.parent):
        with pytest.raises(UserError, match=r'has images of the data set .*tiny'):
            suggest(folder, models, tmp_path / 'no', by)
    assert not (tmp_path / 'no').exists()


def test_labels_and_masks_are_never_looked_at(data, segmentor, tmp_path):
    suggest(data, [segmentor], tmp_path / 'one', count=4)
    rows = [[f'images/train_{k}.png', 'train', '?', 'scene'] for k in range(8)]
    write_table(data, ['image', 'split', 'smoke', 'scene'], rows)
    for path in (data / 'masks').iterdir():
        path.write_bytes(b'no picture')
    suggest(data, [segmentor], tmp_path / 'two', count=4)
    one, two = rows_of(tmp_path / 'one'), rows_of(tmp_path / 'two')
    assert {row['group'] for row in two} == {'scene'}
    assert [{**row, 'group': ''} for row in one] == [{**row, 'group': ''} for row in two]


@pytest.mark.parametrize('by', ['entropy', 'random'])
def test_the_same_call_gives_the_same_files(data, segmentor, tmp_path, by):
    for name in 'ab':
        suggest(data, [segmentor], tmp_path / name, by, 4, seed=5)
    for path in (tmp_path / 'a').rglob('*.*'):
        assert path.read_bytes() == (tmp_path / 'b' / path.relative_to(tmp_path / 'a')).read_bytes()
    if by == 'random':
        suggest(data, [], tmp_path / 'c', by, 4, seed=6)
        assert rows_of(tmp_path / 'c') != rows_of(tmp_path / 'a')


def test_a_later_round_goes_on_with_others(data, segmentor, tmp_path):
    first, second = tmp_path / 'first', tmp_path / 'second'
    suggest(data, [segmentor], first, count=5)
    suggest(data, [segmentor], second, count=5, done=[first / 'suggested.csv'])
    names = [{row['image'] for row in rows_of(out)} for out in (first, second)]
    assert len(names[0]) == 5 and len(names[1]) == 3 and not names[0] & names[1]
    with pytest.raises(UserError, match='are done'):
        done = [out / 'suggested.csv' for out in (first, second)]
        suggest(data, [segmentor], tmp_path / 'third', done=done)


def test_an_unreadable_image_that_the_lot_chooses_is_skipped_and_said(tmp_path):
    for one in 'abc':
        save(tmp_path / 'photos' / f'{one}.png', np.zeros((8, 8, 3), np.uint8))
    (tmp_path / 'photos/b.png').write_bytes(b'no picture')
    found = suggest(tmp_path / 'photos', [], tmp_path / 'one', 'random')
    assert {row['image'] for row in rows_of(tmp_path / 'one')} == {'a.png', 'c.png'}
    assert len(found.skipped) == 1 and 'b.png' in str(found.skipped[0])


def test_names_that_are_not_utf_8_are_kept(tmp_path):
    name = os.fsdecode(b'caf\xe9.png')
    for one in (name, 'b.png'):
        save(tmp_path / 'photos' / one, np.zeros((8, 8, 3), np.uint8))
    suggest(tmp_path / 'photos', [], tmp_path / 'one', 'random')
    assert b'\ncaf\xe9.png,' in (tmp_path / 'one/suggested.csv').read_bytes()
    save(tmp_path / 'photos/c.png', np.zeros((8, 8, 3), np.uint8))
    found = suggest(
        tmp_path / 'photos', [], tmp_path / 'two', 'random', done=[tmp_path / 'one/suggested.csv']
    )
    assert [one.item.name for one in found.chosen] == ['c.png']


def test_copies_of_one_image_are_not_suggested_first(segmentor, tmp_path):
    rng = np.random.default_rng(0)
    for k in range(6):
        save(
            tmp_path / f'photos/{k}.png', rng.integers(0, 40 * k + 9, (24, 32, 3)).astype(np.uint8)
        )
    suggest(tmp_path / 'photos', [segmentor], tmp_path / 'one', count=1)
    (first,) = rows_of(tmp_path / 'one')
    for k in range(4):
        copy = tmp_path / f'photos/copies/{k}.png'
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((tmp_path / 'photos' / first['image']).read_bytes())
    suggest(tmp_path / 'photos', [segmentor], tmp_path / 'two', count=4)
    rows = rows_of(tmp_path / 'two')
    assert (
        sum(row['image'].startswith('copies/') or row['image'] == first['image'] for row in rows)
        == 1
    )
    assert max(int(row['rank']) for row in rows) > 5


def test_broken_images_are_skipped(segmentor, tmp_path):
    rng = np.random.default_rng(0)
    for k in range(3):
        save(tmp_path / f'photos/{k}.png', rng.integers(0, 255, (24, 32, 3)).astype(np.uint8))
    (tmp_path / 'photos/1.png').write_bytes(b'broken')
    found = suggest(tmp_path / 'photos', [segmentor], tmp_path / 'out')
    assert {row['image'] for row in rows_of(tmp_path / 'out')} == {'0.png', '2.png'}
    assert len(found.skipped) == 1 and '1.png' in str(found.skipped[0])


def test_what_makes_no_sense_is_refused(data, segmentor, classifier, tmp_path):
    other = inferencer(tmp_path, tiny_model(2), classes=('smoke', 'steam'))
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/x').touch()
    (tmp_path / 'bad.csv').write_text('a,b\n1,2\n')
    for models, change, message in (
        ([segmentor], dict(by='best'), 'by must be one of'),
        ([], {}, 'number of models for entropy is 1, not 0'),
        ([segmentor], dict(by='disagreement'), 'number of models for disagreement is 2, not 1'),
        ([segmentor, other], dict(by='disagreement'), 'different classes: smoke and smoke, steam'),
        ([segmentor], dict(count=0), 'count must be at least 1'),
        ([segmentor], dict(out=tmp_path / 'full'), 'holds something else'),
        ([segmentor], dict(splits=['tarin']), "no split 'tarin'"),
        ([segmentor], dict(done=[tmp_path / 'none.csv']), r'none\.csv not found'),
        ([segmentor], dict(done=[tmp_path / 'bad.csv']), 'no table with a column image'),
    ):
        settings = dict(out=tmp_path / 'out') | change
        with pytest.raises(UserError, match=message):
            suggest(data, models, **settings)
    with pytest.raises(UserError, match=r'x/out lies in .*x, so the next round would'):
        suggest(tmp_path / 'x', [segmentor], tmp_path / 'x/out')
    for name in ('x/1.png', 'x/1.jpg'):
        save(tmp_path / name, np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UserError, match='would share a mask'):
        suggest(tmp_path / 'x', [segmentor], tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_a_one_stage_segmentor_has_the_features_of_its_classifier():
    for name in ('learner', 'student'):
        network = nn.Module()
        part = nn.Module()
        part.backbone = nn.Conv2d(3, 4, 1)
        setattr(network, name, part)
        with noting_features(network) as noted:
            part.backbone(torch.zeros(1, 3, 2, 2))
        assert noted[0].shape == (4,)

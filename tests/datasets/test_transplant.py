import random

import cv2
import numpy as np
import pytest
from PIL import Image

from mmsmoke.datasets.transforms import PlumeTransplant
from mmsmoke.utils import DataError, UserError

SKY, PLUME, CHIMNEY = (200, 150, 100), (90, 90, 90), (0, 0, 255)  # BGR


@pytest.fixture
def root(tmp_path):
    """Two images with smoke and two without, a camera each, and score maps."""
    lines = ['image,split,smoke,view']
    for folder in ('images', 'scores'):
        (tmp_path / folder).mkdir()
    for index, (smoke, view) in enumerate([(1, 'a'), (0, 'a'), (1, 'b'), (0, 'b')]):
        image = np.full((60, 80, 3), SKY, np.uint8)
        image[:, :, 0] += 20 * (view == 'b')
        image[40:, 60:66] = CHIMNEY
        scores = np.zeros((60, 80), np.uint8)
        if smoke:
            image[10:30, 20:40] = PLUME
            scores[10:30, 20:40] = 255
        name = f'{index}.png'
        cv2.imwrite(str(tmp_path / 'images' / name), image)
        Image.fromarray(scores).save(tmp_path / 'scores' / name)
        lines.append(f'images/{name},train,{smoke},{view}')
    (tmp_path / 'labels.csv').write_text('\n'.join(lines) + '\n')
    return tmp_path


def results(root, index):
    smoke = float(index % 2 == 0)
    return dict(
        img=cv2.imread(str(root / f'images/{index}.png')),
        mask_name=f'{index}.png',
        columns=dict(view='ab'[index // 2]),
        gt_score=[smoke],
        gt_label=[0] if smoke else [],
    )


def transplant(root, **settings):
    plain = dict(prob=1.0, certain=0.8, scale=(1, 1), brightness=(1, 1))
    return PlumeTransplant(str(root), str(root / 'scores'), **{**plain, **settings})


def test_unlabelled_images_stay_what_they_are(root):
    given = dict(results(root, 0), gt_score=[float('nan')], gt_label=[])
    found = transplant(root).transform(dict(given))
    assert np.array_equal(found['img'], given['img']) and found['gt_score'] is given['gt_score']


def near(image, colour, far=12):
    return np.abs(image.astype(int) - colour).max(-1) <= far


@pytest.mark.parametrize('view', [None, 'view'])
def test_a_clear_image_gets_a_plume_and_keeps_the_rest(root, view):
    random.seed(3)
    before = results(root, 1)['img']
    found = transplant(root, view=view).transform(results(root, 1))
    assert (found['gt_score'], found['gt_label']) == ([1.0], [0])
    changed = np.abs(found['img'].astype(int) - before).max(-1) > 3
    ys, xs = np.nonzero(changed)
    assert 0 < changed.sum() <= 400
    assert np.ptp(ys) < 20 and np.ptp(xs) < 20
    assert near(found['img'][changed], PLUME, 25).mean() > 0.3  # its middle; the edge is soft
    assert np.array_equal(found['img'][~changed], before[~changed]) or not changed.all()


@pytest.mark.parametrize('view', [None, 'view'])
def test_a_plume_is_taken_away_and_the_chimney_stays(root, view):
    image = transplant(root, view=view).transform(results(root, 0))
    assert (image['gt_score'], image['gt_label']) == ([0.0], [])
    assert not near(image['img'], PLUME).any()
    assert near(image['img'][10:30, 20:40], SKY).all()
    assert near(image['img'][41:, 61:65], CHIMNEY).all()


def test_what_replaces_a_plume_has_the_colours_of_its_own_sky(root):
    """Row by row: a sky is not the same above and below."""
    evening = np.full((60, 80, 3), (20, 60, 120), np.uint8)
    evening[:30] = (120, 20, 60)
    evening[::2] += 10  # a texture
    for index in (1, 3):
        cv2.imwrite(str(root / f'images/{index}.png'), evening)
    found = transplant(root).transform(results(root, 0))['img']
    replaced = found[12:28, 22:38].astype(int)
    assert near(np.median(replaced, axis=(0, 1)), SKY).all()
    assert not near(found, PLUME).any()
    assert near(found[41:, 61:65], CHIMNEY).all()
    sky = near(found[:, :55], SKY, 25)  # not where rows of two colours meet
    assert sky.mean() > 0.95


def test_it_is_as_sure_as_the_label_run_was(root):
    with pytest.raises(UserError, match=r'manifest.json, which tells the threshold.*say certain=…'):
        transplant(root, certain=None).transform(results(root, 0))
    (root / 'manifest.json').write_text('{"protocol": {"threshold": 0.9}}')
    assert transplant(root, certain=None).levels == pytest.approx((0.9, 0.8))
    (root / 'manifest.json').write_text('{"protocol": {"threshold": 0.4}}')
    assert transplant(root, certain=None).levels == (0.4, 0.1)
    (root / 'manifest.json').write_text('{"protocol": {"threshold": 0.05}}')
    assert transplant(root, certain=None).levels == (0.05, 0.05)
    (root / 'manifest.json').write_text('{"classes": ["background", "smoke", "steam"]}')
    with pytest.raises(UserError, match='are of several classes'):
        transplant(root, certain=None).transform(results(root, 0))
    (root / 'manifest.json').write_text('{"protocol": {"threshold": 0.0}}')
    with pytest.raises(UserError, match='is 0, as where maps do not tell where smoke is'):
        transplant(root, certain=None).transform(results(root, 0))


def test_without_a_clear_image_of_its_place_a_plume_stays(root):
    table = (root / 'labels.csv').read_text().replace('0,a', '0,b')
    (root / 'labels.csv').write_text(table)
    assert transplant(root, view='view').transform(results(root, 0))['gt_score'] == [1.0]
    # nor is it pasted elsewhere, for nothing tells what is plume in its image
    assert [row.image for row in transplant(root, view='view').rows[0]] == ['images/2.png']
    (root / 'labels.csv').write_text(table.replace('0,b', '0,c'))
    with pytest.raises(DataError, match=r'no map .* at a place with a clear image \(column view'):
        transplant(root, view='view').transform(results(root, 1))


def test_a_view_must_be_a_column(root):
    with pytest.raises(DataError, match=r"labels\.csv has no column 'camera', the view"):
        transplant(root, view='camera').transform(results(root, 1))


def test_where_it_goes_is_drawn_by_lot(root):
    tool, found = transplant(root), []
    for seed in range(12):
        random.seed(seed)
        found.append(tool.transform(results(root, 1))['img'].tobytes())
    random.seed(0)
    assert len(set(found)) > 6
    assert tool.transform(results(root, 1))['img'].tobytes() == found[0]


def test_size_and_brightness_are_drawn(root):
    tool = PlumeTransplant(
        str(root),
        str(root / 'scores'),
        prob=1,
        certain=0.8,
        scale=(0.5, 0.5),
        brightness=(0.5, 0.5),
    )
    random.seed(5)
    before = results(root, 1)['img']
    after = tool.transform(results(root, 1))['img']
    changed = np.abs(after.astype(int) - before).max(-1) > 3
    assert 0 < changed.sum() <= 100
    assert near(after[changed], (45, 45, 45), 30).any()


def test_images_stay_as_they_are_where_nothing_says_what_a_plume_is(root):
    (root / 'scores/0.png').unlink()
    found = transplant(root).transform(results(root, 0))
    assert found['gt_score'] == [1.0]
    assert np.array_equal(found['img'], results(root, 0)['img'])
    Image.fromarray(np.zeros((60, 80), np.uint8)).save(root / 'scores/2.png')
    assert transplant(root).transform(results(root, 3))['gt_score'] == [0.0]


def test_the_share_of_changed_images_is_as_asked(root):
    tool = PlumeTransplant(str(root), str(root / 'scores'), prob=0.25, certain=0.8)
    random.seed(0)
    changed = [tool.transform(results(root, 0))['gt_score'] == [0.0] for _ in range(400)]
    assert 0.18 < np.mean(changed) < 0.32


def test_clear_images_and_those_with_smoke_have_shares_of_their_own(root):
    pasted, taken = transplant(root, prob=(1, 0)), transplant(root, prob=(0, 1))
    assert pasted.transform(results(root, 1))['gt_score'] == [1.0]
    assert pasted.transform(results(root, 0))['gt_score'] == [1.0]
    assert taken.transform(results(root, 1))['gt_score'] == [0.0]
    assert taken.transform(results(root, 0))['gt_score'] == [0.0]


@pytest.mark.parametrize('prob', [1.5, (0.5, -1), (1, 1, 1)])
def test_a_share_that_is_none_is_named(root, prob):
    with pytest.raises(UserError, match='prob is a number from 0 to 1, or two'):
        transplant(root, prob=prob)


def test_what_it_cannot_do_is_named(root):
    with pytest.raises(UserError, match='possible <= certain'):
        transplant(root, certain=0.1, possible=0.6).transform(results(root, 0))
    two = dict(results(root, 0), gt_score=[1.0, 0.0])
    with pytest.raises(DataError, match='one class'):
        transplant(root).transform(two)
    for file in (root / 'scores').glob('*.png'):
        file.unlink()
    with pytest.raises(DataError, match='has no map of an image with smoke'):
        transplant(root).transform(results(root, 1))

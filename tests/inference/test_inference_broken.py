"""Images that cannot be read or that a pipeline distorts, and disks that are full."""

import numpy as np
import pytest
from conftest import save
from full_disk import files_up_to
from label_runs import tiny_model
from photos import table, write_photos
from PIL import Image
from tiny_trained import PIPELINE, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return trained(tmp_path_factory.mktemp('model'), tiny_segmentor())


@pytest.fixture(scope='module')
def inferencer(model):
    return SmokeInferencer(*model)


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / 'photos')


@pytest.mark.parametrize('batch_size', [1, 3, 8])
def test_what_cannot_be_read_is_left_out_if_somebody_takes_its_error(
    inferencer, photos, tmp_path, batch_size
):
    out, errors = tmp_path / 'out', []
    inferencer(photos, out)
    masks = {path: path.read_bytes() for path in (out / 'masks').rglob('*.png')}
    for name in ('b/2.jpg', 'a.png'):
        (photos / name).write_bytes((photos / name).read_bytes()[:300])
    (photos / 'b/4.jpg').symlink_to('nowhere')
    found = inferencer(photos, out, batch_size, on_error=errors.append)
    assert [one.image for one in found] == ['b/1.JPG', 'b/c/3.png']
    names = [photos / 'a.png', photos / 'b/2.jpg', photos / 'b/4.jpg']
    for name, error in zip(names, errors, strict=True):
        assert str(error).startswith(f'{name}: image cannot be read: ')
    assert [row['image'] for row in table(out / 'areas.csv')] == ['b/1.JPG', 'b/c/3.png']
    left = {path: path.read_bytes() for path in (out / 'masks').rglob('*.png')}
    assert left.items() <= masks.items()
    assert {path.stem for path in left} == {'1', '3'}
    assert {path.stem for path in (out / 'overlays').rglob('*.jpg')} == {'1', '3'}
    errors.clear()
    told = inferencer.stream(photos, batch_size, on_error=errors.append)
    assert len(list(told)) == 2 and len(errors) == 3


def test_nothing_stays_of_an_image_that_ends_the_run(inferencer, photos, tmp_path):
    inferencer(photos, tmp_path / 'out')
    (photos / 'b/2.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match=r'b/2\.jpg: image cannot be read'):
        inferencer(photos, tmp_path / 'out')
    for folder in ('masks', 'overlays'):
        assert {path.stem for path in (tmp_path / 'out' / folder / 'b').iterdir()} == {'1', 'c'}


def test_where_nothing_can_be_read_the_table_is_a_header(model, photos, tmp_path):
    errors = []
    (photos / 'a.png').write_bytes(b'')
    for inferencer, header in (
        (SmokeInferencer(*model), 'image,share_smoke\n'),
        (
            SmokeInferencer(*trained(tmp_path, tiny_model(2), ('smoke', 'fire'))),
            'image,share_smoke,share_fire,probability_smoke,probability_fire\n',
        ),
    ):
        assert inferencer(photos / 'a.png', tmp_path / 'out', on_error=errors.append) == []
        assert (tmp_path / 'out/areas.csv').read_text() == header
        inferencer(photos / 'b', tmp_path / 'out')
        assert (tmp_path / 'out/areas.csv').read_text().startswith(header)
    assert len(errors) == 2


def test_a_picture_that_would_fill_the_memory_is_one_that_cannot_be_read(
    inferencer, photos, monkeypatch
):
    save(photos / 'huge.png', np.zeros((100, 100, 3), np.uint8))
    monkeypatch.setattr('PIL.Image.MAX_IMAGE_PIXELS', 40 * 32)
    errors = []
    assert len(inferencer(photos, on_error=errors.append)) == 4
    (error,) = map(str, errors)
    assert error.startswith(f'{photos}/huge.png: image cannot be read: more than 0 million pixels')
    assert error.count('\n') == 0


def with_resize(folder, **options):
    steps = [dict(type='mmcv.Resize', scale=(32, 32), **options)]
    pipeline = [*PIPELINE[:1], *steps, *PIPELINE[1:]]
    return SmokeInferencer(*trained(folder, tiny_segmentor(), pipeline=pipeline))


@pytest.mark.parametrize(('sizes', 'stretched'), [([128, 132, 2000], 2), ([128], 0)])
def test_pictures_that_are_stretched_a_lot_are_mentioned_once(tmp_path, recwarn, sizes, stretched):
    for size in sizes:
        save(tmp_path / f'photos/{size:04}.png', np.zeros((32, size, 3), np.uint8))
        save(tmp_path / f'photos/{size:04}-upright.png', np.zeros((size, 32, 3), np.uint8))
    assert len(with_resize(tmp_path)(tmp_path / 'photos', batch_size=2)) == 2 * len(sizes)
    said = [str(one.message) for one in recwarn if 'stretched' in str(one.message)]
    if stretched:
        assert len(said) == 1 and f'({2 * stretched} such in all)' in said[0]
        assert said[0].startswith('0132-upright.png (32 x 132) is stretched by more than 4:1')
    else:
        assert not said


def test_pictures_whose_proportions_are_kept_are_not_mentioned(
    inferencer, photos, tmp_path, recwarn
):
    strip = save(tmp_path / 'strip.png', np.zeros((32, 320, 3), np.uint8))
    inferencer(strip)
    keeping = with_resize(tmp_path, keep_ratio=True)
    keeping(strip)
    assert not [one for one in recwarn if 'stretched' in str(one.message)]
    # 4 pixels of 2000 leave none of 32
    save(photos / 'thread.png', np.zeros((4, 2000, 3), np.uint8))
    errors = []
    assert len(keeping(photos, on_error=errors.append)) == 4
    assert errors[0].__traceback__ is None and errors[0].__cause__ is None  # they hold pictures
    (error,) = map(str, errors)
    assert f'{photos}/thread.png: image of 2000 x 4 cannot be prepared by Resize: ' in error
    assert error.count('\n') == 0


def test_videos_in_a_folder_are_mentioned(inferencer, photos, recwarn):
    for name in ('clip.mp4', 'b/clip.TS', '.hidden.mp4'):
        (photos / name).write_bytes(b'')
    out = photos / 'out'
    (out / 'videos').mkdir(parents=True)
    (out / 'videos/other.mp4').write_bytes(b'')  # what we have annotated
    assert len(inferencer(photos, out)) == 4
    said = [str(one.message) for one in recwarn if 'is a video' in str(one.message)]
    assert said == [
        f'{photos}/b/clip.TS is a video in a folder, which is not looked at; name it itself '
        '(2 such in all)'
    ]
    recwarn.clear()
    inferencer(photos / 'b/c')
    assert not [one for one in recwarn if 'is a video' in str(one.message)]


def test_a_disk_that_is_full_leaves_no_half_files(inferencer, photos, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    save(photos / 'b/4.png', noise)  # an overlay of about 50 KB
    out = tmp_path / 'out'
    inferencer(photos, out)
    message = r'out/overlays/b/4\.jpg cannot be written: File too large'
    with files_up_to(20_000), pytest.raises(ValueError, match=message):
        inferencer(photos, out, batch_size=1)
    assert [path.name for path in out.iterdir() if path.is_file()] == ['areas.unfinished.csv']
    for path in [*out.rglob('*.png'), *out.rglob('*.jpg')]:
        Image.open(path).load()
    assert not list(out.rglob('.*'))


def test_a_folder_that_cannot_be_written_to_is_said(inferencer, photos, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match=r'file/areas\.unfinished\.csv cannot be written: '):
        inferencer(photos, tmp_path / 'file')
    (tmp_path / 'out/masks').mkdir(parents=True)
    (tmp_path / 'out/areas.csv').write_text('')
    (tmp_path / 'out/masks/b').write_text('')  # a file, where a folder is wanted
    with pytest.raises(ValueError, match=r'out/masks/b/1\.png cannot be written: '):
        inferencer(photos, tmp_path / 'out')
    assert not (tmp_path / 'out/areas.csv').exists()

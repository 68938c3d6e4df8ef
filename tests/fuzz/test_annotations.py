"""Files of annotation tools."""

import json

import numpy as np
import pytest
from annotation_files import CLASSES, CVAT, GIVEN
from conftest import save
from hostile import JSON, altered, answered, damaged
from hypothesis import given
from hypothesis import strategies as st

from mmsmoke.converters import coco
from mmsmoke.converters.polygons import cvat, store_masks
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.datasets.table import read_table


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('annotations')
    save(folder / 'data/images/north/1.png', np.zeros((10, 20, 3), np.uint8))
    return folder


@pytest.fixture(autouse=True)
def small_limit(monkeypatch):
    """A file may claim images of a hundred million pixels, which are then made, in seconds."""
    for module in (coco, cvat):
        monkeypatch.setattr(module, 'MOST_PIXELS', 10**5)


def look(place, name, content):
    """Read a file into a data set; nothing else on the disk may change."""
    (place / 'data/labels.csv').write_text(
        'image,split,smoke,steam\nimages/north/1.png,train,1,no\n'
    )
    mask = place / 'data/masks/north/1.png'
    for left in (mask, *place.glob('given.*')):
        left.unlink(missing_ok=True)
    (place / name).write_bytes(content)
    with answered():
        store_masks(place / name, place / 'data', classes=CLASSES, overwrite=True)
    found = {path.relative_to(place).as_posix() for path in place.rglob('*') if path.is_file()}
    assert found - {'data/masks/north/1.png'} == {
        'data/labels.csv', 'data/images/north/1.png', name
    }  # fmt: skip
    (row,), problems = read_table(place / 'data', CLASSES)
    assert not problems and set(row.labels) <= {0, 1}
    if mask.is_file():
        assert set(np.unique(read_mask(mask))) <= {0, 1, 2, 255}


@pytest.mark.parametrize('form', ['labelme', 'label-studio', 'coco'])
@given(data=st.data())
def test_strange_json(place, form, data):
    content = data.draw(altered(GIVEN[form]) | JSON)
    look(place, 'given.json', json.dumps(content).encode())


@given(data=st.data())
def test_damaged_xml(place, data):
    look(place, 'given.xml', data.draw(damaged(CVAT.encode())))


@given(
    tag=st.sampled_from(['polygon', 'box', 'mask', 'tag', 'x']),
    values=st.lists(st.text('0123456789.,;-e naif', max_size=12), min_size=10, max_size=10),
)
def test_strange_shapes(place, tag, values):
    names = ['points', 'z_order', 'rotation', 'xtl', 'ytl', 'xbr', 'ybr', 'rle', 'left', 'top']
    cells = ' '.join(f'{name}="{value}"' for name, value in zip(names, values, strict=True))
    shape = f'<{tag} label="smoke" width="2" height="2" {cells}/>'
    look(place, 'given.xml', CVAT.replace('<tag', f'{shape}<tag', 1).encode())

import csv
import json
import re

import numpy as np
import pytest
from conftest import save
from PIL import Image
from scipy.io import savemat

from mmsmoke.converters.voc import plan_voc, read_voc_mask
from mmsmoke.datasets import VOCDataset, WeakSegDataset
from mmsmoke.datasets.class_names import VOC_CLASSES
from mmsmoke.utils import DataError, UserError

TRAIN, VAL = ['2007_000032', '2007_000039'], ['2007_000033', '2007_000042']
SBD_TRAIN, SBD_VAL = ['2008_000002', '2007_000033', '2007_000032'], ['2008_000003']
SIZE = 60, 40  # width and height


def mask_of(values):
    """Strips of these values on background, each with a border of 255."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    for place, value in enumerate(values):
        mask[5:35, 12 * place + 1 : 12 * place + 11] = 255
        mask[7:33, 12 * place + 3 : 12 * place + 9] = value
    return mask


def values_of(name):
    """Five classes for each training image, all twenty in all; ten for each of val, in two."""
    names = [*TRAIN, '2008_000002', '2008_000003']
    return range(1 + names.index(name), 21, 4) if name in names else range(1, 6)


def save_indices(path, mask):
    picture = Image.fromarray(mask)
    picture.putpalette([k * 7 % 256 for k in range(768)])
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


@pytest.fixture
def devkit(tmp_path):
    """A VOCdevkit of six images as it is distributed."""
    voc, rng = tmp_path / 'VOCdevkit/VOC2012', np.random.default_rng(0)
    for name in [*TRAIN, *VAL, '2008_000002', '2008_000003']:
        picture = rng.integers(0, 255, (*SIZE[::-1], 3)).astype(np.uint8)
        save(voc / f'JPEGImages/{name}.jpg', picture)
        objects = ''.join(
            f'<object><name>{VOC_CLASSES[k - 1]}</name><difficult>{k % 2}</difficult></object>'
            for k in [*values_of(name), 20]
        )
        (voc / 'Annotations').mkdir(exist_ok=True)
        (voc / f'Annotations/{name}.xml').write_text(f'<annotation>{objects}</annotation>')
    for name in [*TRAIN, *VAL]:
        save_indices(voc / f'SegmentationClass/{name}.png', mask_of(values_of(name)))
    lists = voc / 'ImageSets/Segmentation'
    lists.mkdir(parents=True)
    for split, names in (('train', TRAIN), ('val', VAL), ('trainval', TRAIN + VAL)):
        (lists / f'{split}.txt').write_text('\n'.join(names) + '\n')
    return tmp_path / 'VOCdevkit'


@pytest.fixture
def sbd(tmp_path):
    """The release of SBD, whose masks have no borders."""
    top = tmp_path / 'sbd/benchmark_RELEASE/dataset'
    (top / 'cls').mkdir(parents=True)
    for split, names in (('train', SBD_TRAIN), ('val', SBD_VAL)):
        (top / f'{split}.txt').write_text('\n'.join(names) + '\n')
        for name in names:
            mask = mask_of(values_of(name))
            mask[mask == 255] = 0
            content = dict(Segmentation=mask, CategoriesPresent=np.unique(mask)[1:, None])
            savemat(top / f'cls/{name}.mat', dict(GTcls=content))
    return top.parent


@pytest.fixture
def convert(load_tool, run_main):
    main = load_tool('dataset_converters/voc.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def rows_of(root):
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        return {row['image']: row for row in csv.DictReader(file)}


def test_train_aug_is_made_of_the_files(devkit, sbd, convert, tmp_path):
    out = tmp_path / 'out'
    code, text, error = convert(devkit, out, '--sbd', sbd)
    assert code == 0, text + error
    assert '2 images of train have masks of VOC, 2 of SBD' in text and 'from the masks' in text
    rows = rows_of(out)
    assert list(next(iter(rows.values()))) == ['image', 'split', *VOC_CLASSES, 'source']
    found = {(name[7:-4], row['split'], row['source']) for name, row in rows.items()}
    aug = ['2008_000002', '2008_000003']  # of SBD's both parts; its images of VOC's val stay there
    assert found == {(name, 'train', 'voc') for name in TRAIN} | {
        (name, 'val', 'voc') for name in VAL
    } | {(name, 'train', 'sbd') for name in aug}
    for name, row in rows.items():
        stem = name[7:-4]
        shown = {k for k in range(1, 21) if row[VOC_CLASSES[k - 1]] == '1'}
        assert shown == set(values_of(stem))
        with Image.open(out / f'masks/{stem}.png') as mask:
            expected = mask_of(values_of(stem))
            if row['source'] == 'sbd':
                expected[expected == 255] = 0
            assert np.array_equal(mask, expected)
            assert mask.getpalette()[: 3 * 3] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
        original = devkit / f'VOC2012/JPEGImages/{stem}.jpg'
        assert (out / name).read_bytes() == original.read_bytes()


def test_the_data_set_reads_it_and_the_check_knows_its_classes(
    devkit, sbd, convert, load_tool, run_main, tmp_path
):
    out = tmp_path / 'out'
    text = convert(devkit, out, '--sbd', sbd)[1]
    assert f'python tools/check_dataset.py {out}\n' in text
    data = VOCDataset(str(out), split='train')
    assert len(data) == 4 and data.metainfo['classes'][20] == 'tvmonitor'
    assert data.metainfo['palette'][15] == [192, 128, 128]
    own = VOCDataset(str(out), split='train', test_mode=True, filter_cfg=dict(source='voc'))
    assert [info['mask_name'] for info in own] == [f'{name}.png' for name in TRAIN]
    check = load_tool('check_dataset.py').main
    code, text, _ = run_main(check, out, '--out', tmp_path / 'report.json')
    assert code == 0 and 'no problems' in text and 'smoke' not in text
    assert max(map(len, text.splitlines())) < 140
    tables = json.loads((tmp_path / 'report.json').read_text())['tables']
    assert tables[0][0] == dict(split='train', images=4, masks=4, sizes='60x40')
    assert len(tables[1]) == 20 and tables[1][0] == {'class': 'aeroplane', 'train': 1, 'val': 2}


def test_both_layouts_of_sbd_give_the_same_masks(devkit, sbd, convert, tmp_path):
    aug = devkit / 'VOC2012/SegmentationClassAug'
    for path in sorted((sbd / 'dataset/cls').glob('*.mat')):
        save(aug / f'{path.stem}.png', read_voc_mask(path))
    manifests = []
    for number, options in enumerate([('--sbd', sbd), ('--sbd', sbd / 'dataset'), ()]):
        assert convert(devkit, tmp_path / f'{number}', *options)[0] == 0
        manifests.append(json.loads((tmp_path / f'{number}/manifest.json').read_text()))
    assert manifests[0] == manifests[1] == manifests[2]
    assert [one['masks'] for one in manifests[0]['masks'].values()] == [4, 2]


def test_sbd_is_found_where_it_is_unpacked(devkit, sbd):
    sbd.rename(devkit / 'benchmark_RELEASE')
    assert sum(row['source'] == 'sbd' for row in plan_voc(devkit).rows) == 2


def test_labels_may_be_those_of_the_boxes(devkit, sbd, convert, tmp_path):
    code, text, _ = convert(devkit, tmp_path / 'out', '--sbd', sbd, '--labels', 'boxes')
    assert code == 0 and 'from the boxes' in text
    for name, row in rows_of(tmp_path / 'out').items():
        shown = {k for k in range(1, 21) if row[VOC_CLASSES[k - 1]] == '1'}
        assert shown == {*values_of(name[7:-4]), 20}
    path = devkit / 'VOC2012/Annotations/2008_000002.xml'
    before = [plan_voc(devkit, sbd, labels=labels).source for labels in ('masks', 'boxes')]
    path.write_text('<annotation><object><name>smoke</name></object></annotation>')
    after = [plan_voc(devkit, sbd, labels=labels).source for labels in ('masks', 'boxes')]
    assert before[0] == after[0] and before[1] != after[1]  # what labels stem from
    code, text, _ = convert(devkit, tmp_path / 'new', '--sbd', sbd, '--labels', 'boxes')
    assert code == 1 and f'{path}: smoke is no class of VOC' in text
    path.write_text('<annotation>')
    assert 'objects cannot be read' in convert(devkit, tmp_path / 'new', '--sbd', sbd,
                                               '--labels', 'boxes')[1]  # fmt: skip


def test_without_sbd_the_message_says_what_to_do(devkit, convert, tmp_path):
    code, _, error = convert(devkit, tmp_path / 'out')
    assert code == 2 and not (tmp_path / 'out').exists()
    for part in ('benchmark.tgz', str(devkit / 'benchmark_RELEASE'), '--sbd FOLDER',
                 '--train-list train'):  # fmt: skip
        assert part in error
    plan = plan_voc(devkit, train_list='train')
    assert len(plan.rows) == 4 and {row['source'] for row in plan.rows} == {'voc'}
    with pytest.raises(UserError, match='leave out --sbd'):
        plan_voc(devkit, devkit, train_list='train')


def test_a_class_without_any_training_image_is_named(devkit, convert, tmp_path):
    options = devkit, tmp_path / 'out', '--train-list', 'train'
    code, text, _ = convert(*options)
    lost = ', '.join(VOC_CLASSES[k] for k in range(20) if k % 4 > 1)
    assert code == 1 and f'no image of train shows {lost}' in text
    assert not (tmp_path / 'out').exists()
    assert convert(*options, '--skip-broken')[0] == 0
    with pytest.raises(DataError, match="no positive image for class 'bird'"):
        VOCDataset(str(tmp_path / 'out')).full_init()


def test_missing_files_are_counted(devkit, sbd, convert, tmp_path):
    (devkit / 'VOC2012/JPEGImages/2008_000002.jpg').unlink()
    (sbd / 'dataset/cls/2008_000003.mat').unlink()
    (devkit / 'VOC2012/SegmentationClass/2007_000042.png').unlink()
    code, text, _ = convert(devkit, tmp_path / 'out', '--sbd', sbd)
    assert code == 1 and not (tmp_path / 'out').exists()
    assert 'missing images that the lists name: 1, such as' in text
    assert 'missing masks that the lists name: 2, such as' in text


@pytest.mark.parametrize(
    'mask, message',
    [
        (np.full((40, 60), 21, np.uint8), r'values \[21\], which are no class of VOC'),
        (np.zeros((40, 60, 3), np.uint8), 'palette PNG'),
        (np.zeros((9, 60), np.uint8), 'mask is 60x9, image is 60x40'),
    ],
)
def test_bad_masks_are_named(devkit, sbd, convert, tmp_path, mask, message):
    path = save(devkit / 'VOC2012/SegmentationClass/2007_000042.png', mask)
    code, text, _ = convert(devkit, tmp_path / 'out', '--sbd', sbd)
    assert code == 1 and not (tmp_path / 'out/labels.csv').exists()
    (line,) = [line for line in text.splitlines() if line.startswith(str(path))]
    assert re.search(message, line)


def test_broken_files_of_sbd_are_named(devkit, sbd, convert, tmp_path):
    path = sbd / 'dataset/cls/2008_000002.mat'
    path.write_bytes(path.read_bytes()[:150])
    code, text, _ = convert(devkit, tmp_path / 'out', '--sbd', sbd)
    assert code == 1 and f'{path}: mask of SBD cannot be read' in text


def test_other_folders_say_where_to_get_them(devkit, tmp_path):
    with pytest.raises(UserError, match=r'no VOC2012 .* in .*VOCtrainval_11-May-2012'):
        plan_voc(tmp_path / 'nothing')
    with pytest.raises(UserError, match=r'neither dataset/cls .*benchmark\.tgz'):
        plan_voc(devkit, tmp_path)
    (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').unlink()
    with pytest.raises(UserError, match=r'val\.txt cannot be read'):
        plan_voc(devkit, tmp_path)


def test_masks_with_a_class_that_no_column_names_are_problems(devkit, sbd, convert, tmp_path):
    out = tmp_path / 'out'
    convert(devkit, out, '--sbd', sbd)
    data = WeakSegDataset(str(out), split='val', classes=VOC_CLASSES[:3], test_mode=True,
                          lazy_init=True)  # fmt: skip
    with pytest.raises(DataError, match=r'no class \(a column of labels.csv\) has the value 4'):
        data.full_init()

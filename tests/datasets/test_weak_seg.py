import csv
import pickle

import numpy as np
import pytest
import torch
from conftest import save, save_palette
from mmengine.dataset import ClassBalancedDataset, Compose, ConcatDataset, pseudo_collate
from mmpretrain.models import ClsDataPreprocessor
from mmseg.models import SegDataPreProcessor
from PIL import Image
from torch.utils.data import DataLoader

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.registry import DATASETS, TRANSFORMS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import DataError

PIPELINE = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
THREE = ('smoke', 'steam', 'fog')


pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def names(dataset):
    return [info['image'] for info in infos(dataset)]


def edit(root, change):
    """Rewrites labels.csv; ``change`` gets and returns the list of rows, header first."""
    with open(root / 'labels.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.reader(file))
    with open(root / 'labels.csv', 'w', encoding='utf-8', newline='') as file:
        csv.writer(file).writerows(change(rows))
    return root


def error_of(root, **kwargs):
    with pytest.raises(DataError) as caught:
        WeakSegDataset(str(root), **kwargs)
    return str(caught.value)


# Reading


def test_images_and_labels_of_a_split_in_order_of_the_table(tiny_dataset):
    root = tiny_dataset()
    dataset = WeakSegDataset(str(root), split='train')
    assert names(dataset) == [f'images/train_{i}.png' for i in range(6)]
    assert [info['gt_score'] for info in infos(dataset)] == [[1.0], [0.0]] * 3
    assert [info['gt_label'] for info in infos(dataset)] == [[0], []] * 3
    assert [info['row'] for info in infos(dataset)] == list(range(2, 8))
    assert infos(dataset)[3]['img_path'] == str(root / 'images/train_3.png')


def test_several_classes(tiny_dataset):
    dataset = WeakSegDataset(str(tiny_dataset(classes=THREE)), split='train', classes=THREE)
    assert dataset.metainfo['classes'] == ('background', *THREE)
    assert dataset.label_classes == THREE
    assert [dataset.get_cat_ids(i) for i in range(6)] == [[0], [1], [0, 1], [2], [0, 2], [1, 2]]
    assert infos(dataset)[4]['gt_score'] == [1.0, 0.0, 1.0]


def test_classes_are_those_asked_for_in_that_order(tiny_dataset):
    root = tiny_dataset(classes=THREE)
    dataset = WeakSegDataset(str(root), classes=['fog', 'smoke'], check_masks=False)
    assert infos(dataset)[4]['gt_score'] == [1.0, 1.0]
    assert infos(dataset)[0]['gt_label'] == [1]


def test_classes_may_come_from_metainfo(tiny_dataset):
    root = tiny_dataset(classes=THREE)
    dataset = WeakSegDataset(str(root), metainfo=dict(classes=('background', *THREE)))
    assert dataset.label_classes == THREE
    assert len(dataset.metainfo['palette']) == 4


def test_palette_has_one_colour_for_each_class_and_black_background(tiny_dataset):
    many = tuple(f'c{k}' for k in range(9))
    root = tiny_dataset(classes=('smoke',))
    edit(root, lambda rows: [r + (list(many) if i == 0 else ['1'] * 9) for i, r in enumerate(rows)])
    palette = WeakSegDataset(str(root), classes=many, test_mode=True, check_masks=False).metainfo[
        'palette'
    ]
    assert palette[0] == [0, 0, 0]
    assert len({tuple(colour) for colour in palette}) == 10
    assert all(0 <= value <= 255 for colour in palette for value in colour)


def test_default_metainfo_is_not_changed_by_other_data_sets(tiny_dataset):
    WeakSegDataset(str(tiny_dataset('three', classes=THREE)), classes=THREE)
    assert WeakSegDataset(str(tiny_dataset())).metainfo == WeakSegDataset.METAINFO


def test_extra_columns_are_at_hand(tiny_dataset):
    info = WeakSegDataset(str(tiny_dataset())).get_data_info(2)
    assert info['columns']['camera'] == 'south' and info['columns']['note'] == ''


def test_several_splits(tiny_dataset):
    dataset = WeakSegDataset(str(tiny_dataset()), split=['val', 'train'])
    assert len(dataset) == 10
    assert {info['columns']['split'] for info in infos(dataset)} == {'train', 'val'}


@pytest.mark.parametrize(
    ('filter_cfg', 'expected'),
    [
        (dict(smoke=1), [0, 2, 4]),
        (dict(camera='north'), [0, 1, 4, 5]),
        (dict(camera=['north', 'south'], smoke=['0']), [1, 3, 5]),
        (dict(camera='south', smoke=1), [2]),
    ],
)
def test_filter_keeps_rows_with_these_values(tiny_dataset, filter_cfg, expected):
    dataset = WeakSegDataset(str(tiny_dataset()), filter_cfg=filter_cfg)
    assert names(dataset) == [f'images/train_{i}.png' for i in expected]


@pytest.mark.parametrize(('yes', 'no'), [('1', '0'), ('yes', 'No'), ('TRUE', 'FALSE'), ('y', 'n')])
@pytest.mark.parametrize('wanted', [1, True, '1', 'yes', ['Y'], 0, False, 'no'])
def test_filter_compares_labels_whichever_words_the_table_has(tiny_dataset, wanted, yes, no):
    root = edit(
        tiny_dataset(), lambda rows: [[{'1': yes, '0': no}.get(c, c) for c in row] for row in rows]
    )
    found = names(WeakSegDataset(str(root), filter_cfg=dict(smoke=wanted)))
    first = 0 if wanted in (1, '1', 'yes', ['Y']) else 1
    assert found == [f'images/train_{i}.png' for i in range(first, 6, 2)]


def test_filter_by_what_is_no_label(tiny_dataset):
    message = error_of(tiny_dataset(), filter_cfg=dict(smoke='some'))
    assert message.startswith("filter_cfg: smoke must be 0 or 1, got 'some'")


@pytest.mark.parametrize('where', [dict(split='test'), dict(camera=['south'], split=['test'])])
def test_unlabelled_rows_come_without_labels(tiny_dataset, where):
    root = tiny_dataset()
    dataset = WeakSegDataset(
        str(root), split=['train', 'test'], unlabelled=where, pipeline=PIPELINE
    )
    known = WeakSegDataset(str(root), split=['train', 'test'])
    left_out = 0
    for index, (info, labelled) in enumerate(zip(infos(dataset), infos(known), strict=True)):
        sample = dataset[index]['data_samples']
        if info['columns']['split'] == 'test' and info['columns']['camera'] in (
            where.get('camera') or ['north', 'south']
        ):
            left_out += 1
            assert np.isnan(info['gt_score']).all() and info['gt_label'] == []
            assert sample.gt_score.isnan().all() and 'gt_sem_seg' not in sample
        else:
            assert info['gt_score'] == labelled['gt_score']
            assert info['gt_label'] == labelled['gt_label']
    assert left_out == (2 if 'camera' in where else 4)


def test_labelled_rows_alone_must_be_of_either_kind(tiny_dataset):
    root = tiny_dataset(splits=dict(train=4, val=4))
    assert 'no positive image' in error_of(root, unlabelled=dict(smoke=1))


def test_unlabelled_rows_are_for_training(tiny_dataset):
    message = error_of(tiny_dataset(), unlabelled=dict(camera='south'), test_mode=True)
    assert message == 'unlabelled is for training: metrics compare with labels'


def test_unlabelled_rows_of_a_column_that_is_not_there(tiny_dataset):
    assert 'unlabelled: ' in error_of(tiny_dataset(), unlabelled=dict(lens='long'))
    message = error_of(tiny_dataset(), unlabelled=dict(smoke='some'))
    assert message.startswith("unlabelled: smoke must be 0 or 1, got 'some'")


@pytest.mark.parametrize(('indices', 'expected'), [(2, [0, 1]), ([4, 1], [4, 1])])
def test_indices(tiny_dataset, indices, expected):
    dataset = WeakSegDataset(str(tiny_dataset()), indices=indices)
    assert names(dataset) == [f'images/train_{i}.png' for i in expected]


def test_lazy_init_reads_nothing_until_asked(tiny_dataset):
    root = tiny_dataset()
    table = (root / 'labels.csv').rename(root / 'later.csv')
    dataset = WeakSegDataset(str(root), lazy_init=True)
    assert dataset.metainfo['classes'] == ('background', 'smoke')
    table.rename(root / 'labels.csv')
    assert len(names(dataset)) == 6


def test_wrappers_of_mmengine(tiny_dataset):
    first = WeakSegDataset(str(tiny_dataset('a')), pipeline=PIPELINE)
    second = WeakSegDataset(str(tiny_dataset('b', seed=1)), split='val', pipeline=PIPELINE)
    both = ConcatDataset([first, second])
    assert len(both) == 10 and both.metainfo == first.metainfo
    assert both[7]['data_samples'].image == 'images/val_1.png'
    # smoke is in half of the images; an image with it is repeated once for a share of all
    balanced = ClassBalancedDataset(first, oversample_thr=1.0)
    labels = [balanced.get_data_info(i)['gt_label'] for i in range(len(balanced))]
    assert labels.count([0]) > 3 == labels.count([])


def test_config_builds_it(tiny_dataset):
    cfg = dict(type='mmsmoke.WeakSegDataset', data_root=str(tiny_dataset()), pipeline=PIPELINE)
    assert len(DATASETS.build(cfg)) == 6


# Which masks


def test_training_never_sees_true_masks_nor_context(tiny_dataset):
    root = tiny_dataset(context=True)
    dataset = WeakSegDataset(str(root), split='train', pipeline=PIPELINE)
    assert not any({'seg_map_path', 'context_path'} & info.keys() for info in infos(dataset))
    for i, info in enumerate(infos(dataset)):
        sample = dataset[i]['data_samples']
        assert 'gt_context' not in sample
        # that a negative holds no smoke is known from its label
        assert ('gt_sem_seg' in sample) == (not info['gt_label'])
        assert not sample.get('seg_map_path')
    with pytest.raises(DataError, match='seg_map_dir'):
        WeakSegDataset(
            str(root), pipeline=[dict(type='mmsmoke.LoadMask', required=True)]
        ).prepare_data(0)


def test_training_does_not_even_open_true_masks(tiny_dataset):
    root = tiny_dataset()
    for path in (root / 'masks').iterdir():
        path.write_bytes(b'no picture')
    assert len(WeakSegDataset(str(root), pipeline=PIPELINE)[0]) == 2


def test_testing_sees_true_masks_and_context(tiny_dataset):
    root = tiny_dataset(context=True)
    dataset = WeakSegDataset(str(root), split='test', test_mode=True, pipeline=PIPELINE)
    for i, info in enumerate(infos(dataset)):
        sample = dataset[i]['data_samples']
        expected = np.zeros((36, 48), np.uint8)
        if info['gt_label']:
            expected = np.asarray(Image.open(root / 'masks' / f'test_{i}.png'))
            assert expected.any()
        assert np.array_equal(sample.gt_sem_seg.data[0].numpy(), expected)
        assert sample.gt_context.data.sum() == 32


def test_positive_without_a_mask_file_is_tested_without_truth(tiny_dataset):
    root = tiny_dataset()
    (root / 'masks/test_0.png').unlink()
    dataset = WeakSegDataset(str(root), split='test', test_mode=True, pipeline=PIPELINE)
    with_truth = ['gt_sem_seg' in dataset[i]['data_samples'] for i in range(4)]
    assert with_truth == [False, True, True, True]


def pseudo_masks(root, folder, value=1):
    """A mask for each image of the training split, positive or not."""
    for info in infos(WeakSegDataset(str(root), split='train')):
        mask = np.full((36, 48), value, np.uint8)
        save_palette(folder / info['mask_name'], mask)
    return folder


@pytest.mark.parametrize('test_mode', [False, True])
def test_named_masks_go_before_true_ones(tiny_dataset, tmp_path, test_mode):
    root = tiny_dataset()
    folder = pseudo_masks(root, tmp_path / 'run/masks')
    dataset = WeakSegDataset(
        str(root), seg_map_dir=str(folder), pipeline=PIPELINE, test_mode=test_mode
    )
    assert all((dataset[i]['data_samples'].gt_sem_seg.data == 1).all() for i in range(6))


def test_seg_map_dir_is_taken_from_where_the_command_runs(tiny_dataset, tmp_path, monkeypatch):
    root = tiny_dataset()
    pseudo_masks(root, tmp_path / 'run/masks')
    monkeypatch.chdir(tmp_path)
    dataset = WeakSegDataset('tiny', seg_map_dir='run/masks')
    assert infos(dataset)[0]['seg_map_path'] == 'run/masks/train_0.png'


@pytest.mark.parametrize('folder', ['{data_root}/masks', 'tiny/masks', '{absolute}/masks'])
def test_full_supervision_names_the_folder_of_true_masks(
    tiny_dataset, tmp_path, monkeypatch, folder
):
    root = tiny_dataset()
    monkeypatch.chdir(tmp_path)
    folder = folder.replace('{absolute}', str(root))
    dataset = WeakSegDataset('tiny', seg_map_dir=folder, pipeline=required_masks())
    for i, info in enumerate(infos(dataset)):
        mask = dataset[i]['data_samples'].gt_sem_seg.data[0].numpy()
        if info['gt_label']:
            assert np.array_equal(mask, np.asarray(Image.open(root / f'masks/train_{i}.png')))
        assert mask.shape == (36, 48) and mask.any() == bool(info['gt_label'])
    (root / 'masks/train_2.png').unlink()
    with pytest.raises(DataError, match=r'train_2\.png not found: no mask for labels\.csv row 4'):
        len(WeakSegDataset('tiny', seg_map_dir=folder))


def required_masks():
    return [PIPELINE[0], dict(type='mmsmoke.LoadMask', required=True), PIPELINE[-1]]


def test_masks_mirror_subfolders_and_other_suffixes(tiny_dataset):
    root = tiny_dataset(suffix='.jpg')
    for folder in ('images', 'masks'):
        (root / folder / 'north 1').mkdir()
        for path in list((root / folder).glob('test_0.*')):
            path.rename(root / folder / 'north 1' / path.name)
    edit(root, lambda rows: [[c.replace('s/test_0', 's/north 1/test_0') for c in r] for r in rows])
    info = WeakSegDataset(str(root), split='test', test_mode=True).get_data_info(0)
    assert info['seg_map_path'] == str(root / 'masks/north 1/test_0.png')


def test_names_with_blanks_and_letters_of_all_scripts(tiny_dataset):
    root = tiny_dataset()
    name = 'камера 1, 煙 é'
    (root / 'images/test_0.png').rename(root / f'images/{name}.png')
    (root / 'masks/test_0.png').rename(root / f'masks/{name}.png')
    edit(root, lambda rows: [[cell.replace('test_0', name) for cell in row] for row in rows])
    dataset = WeakSegDataset(str(root), split='test', test_mode=True, pipeline=PIPELINE)
    assert 1 in dataset[0]['data_samples'].gt_sem_seg.data


def test_rotated_photo_fits_a_mask_of_its_displayed_size(tiny_dataset):
    root = tiny_dataset(suffix='.jpg')
    path = root / 'images/test_0.jpg'
    picture = np.asarray(Image.open(path))
    exif = Image.Exif()
    exif[0x0112] = 6
    save(path, np.ascontiguousarray(np.rot90(picture)), exif=exif)
    dataset = WeakSegDataset(str(root), split='test', test_mode=True, pipeline=PIPELINE)
    packed = dataset[0]
    smoke = packed['data_samples'].gt_sem_seg.data[0] == 1
    brightness = packed['inputs'].float().mean(0)
    assert brightness[smoke].mean() > 2 * brightness[~smoke].mean()


# Served to mmpretrain and mmseg alike


def test_sample_survives_pickling(tiny_dataset):
    root = tiny_dataset(context=True)
    dataset = WeakSegDataset(str(root), split='test', test_mode=True, pipeline=PIPELINE)
    sample = dataset[0]['data_samples']
    sample.cams = torch.rand(1, 3, 4)
    again = pickle.loads(pickle.dumps(sample))
    assert isinstance(again, WeakSegDataSample)
    assert set(again.keys()) == set(sample.keys())
    assert again.metainfo == sample.metainfo
    assert torch.equal(again.cams, sample.cams)
    assert torch.equal(again.gt_sem_seg.data, sample.gt_sem_seg.data)
    assert torch.equal(again.gt_context.data, sample.gt_context.data)
    assert again.present().tolist() == [True]


@pytest.fixture
def batch(tiny_dataset):
    """Four test images of three classes, through loader workers."""
    root = tiny_dataset(classes=THREE, context=True)
    dataset = WeakSegDataset(
        str(root), split='test', classes=THREE, test_mode=True, pipeline=PIPELINE
    )
    loader = DataLoader(dataset, batch_size=4, num_workers=2, collate_fn=pseudo_collate)
    (batch,) = loader
    return batch


def test_batches_from_workers_fit_both_preprocessors(batch):
    scores = [sample.gt_score.tolist() for sample in batch['data_samples']]
    assert scores == [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]
    values = [sample.gt_sem_seg.data.unique().tolist() for sample in batch['data_samples']]
    assert values == [[0, 1], [0, 2], [0, 1, 2], [0, 3]]

    classify = ClsDataPreprocessor(mean=[0.0] * 3, std=[255.0] * 3, to_rgb=True)
    data = classify(batch)
    assert data['inputs'].shape == (4, 3, 36, 48)
    assert data['inputs'].min() >= 0 and data['inputs'].max() <= 1
    assert [sample.gt_score.tolist() for sample in data['data_samples']] == scores
    assert [sample.gt_label.tolist() for sample in data['data_samples']] == [[0], [1], [0, 1], [2]]

    segment = SegDataPreProcessor(bgr_to_rgb=True, size=(40, 48), pad_val=0, seg_pad_val=255)
    data = segment(batch, training=True)
    assert data['inputs'].shape == (4, 3, 40, 48)
    truth = torch.stack([sample.gt_sem_seg.data for sample in data['data_samples']])
    assert truth.shape == (4, 1, 40, 48) and (truth[:, :, 36:] == 255).all()
    red = batch['inputs'][0][2]
    assert torch.equal(data['inputs'][0, 0, :36], red.float())


def test_negatives_in_a_batch_keep_their_empty_label(tiny_dataset):
    dataset = WeakSegDataset(str(tiny_dataset()), pipeline=PIPELINE)
    data = ClsDataPreprocessor()(pseudo_collate([dataset[1], dataset[0], dataset[3]]))
    assert [sample.gt_label.tolist() for sample in data['data_samples']] == [[], [0], []]


def test_many_batches_do_not_use_up_file_descriptors(tiny_dataset):
    resource = pytest.importorskip('resource')
    dataset = WeakSegDataset(
        str(tiny_dataset(splits=dict(train=8))), split='train', pipeline=PIPELINE
    )
    loader = DataLoader(
        ConcatDataset([dataset] * 24), batch_size=8, num_workers=2, collate_fn=pseudo_collate
    )
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        kept = [sample for batch in loader for sample in batch['data_samples']]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(kept) == 192


def mmseg_pipeline():
    return [
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='mmseg.LoadAnnotations'),
        dict(type='mmcv.RandomResize', scale=(48, 36), ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type='mmseg.RandomCrop', crop_size=(32, 32), cat_max_ratio=0.99),
        dict(type='mmseg.PackSegInputs'),
    ]


def test_transforms_of_mmseg_work_on_it(tiny_dataset, tmp_path):
    root = tiny_dataset()
    folder = pseudo_masks(root, tmp_path / 'run/masks')
    dataset = WeakSegDataset(str(root), seg_map_dir=str(folder), pipeline=mmseg_pipeline())
    for _ in range(2):  # what a transform writes into its results must not pile up
        packed = dataset[0]
    assert packed['inputs'].shape[1] <= 32
    assert packed['data_samples'].gt_sem_seg.data.unique().tolist() == [1]


def test_transforms_of_mmseg_read_the_same_mask_as_ours(tiny_dataset):
    root = tiny_dataset(classes=THREE)
    info = WeakSegDataset(str(root), split='test', classes=THREE, test_mode=True).get_data_info(2)
    theirs = TRANSFORMS.build(dict(type='mmseg.LoadAnnotations'))(dict(info))
    ours = TRANSFORMS.build(dict(type='mmsmoke.LoadMask'))(dict(info))
    assert np.array_equal(theirs['gt_seg_map'], ours['gt_seg_map'])


def test_transforms_of_mmpretrain_work_on_it(tiny_dataset):
    root = tiny_dataset(classes=THREE)
    pipeline = [
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='mmpretrain.RandomResizedCrop', scale=24),
        dict(type='mmpretrain.PackInputs'),
    ]
    dataset = WeakSegDataset(str(root), classes=THREE, pipeline=pipeline)
    packed = dataset[4]
    assert packed['inputs'].shape == (3, 24, 24)
    assert packed['data_samples'].gt_score.tolist() == [1, 0, 1]
    assert packed['data_samples'].gt_label.tolist() == [0, 2]


def test_pipelines_do_not_change_what_the_data_set_knows(tiny_dataset):
    root = tiny_dataset()
    for serialize in (True, False):
        dataset = WeakSegDataset(
            str(root), split='test', test_mode=True, serialize_data=serialize, pipeline=PIPELINE
        )
        before = pickle.dumps(infos(dataset))
        Compose(PIPELINE)(dataset.get_data_info(0))
        dataset[0]
        assert pickle.dumps(infos(dataset)) == before


# What is wrong is said, with file and row, before anything starts


def test_missing_table(tmp_path):
    assert str(tmp_path / 'labels.csv') in error_of(tmp_path)


def test_missing_image_and_the_command_that_lists_all(tiny_dataset):
    root = tiny_dataset()
    for i in (1, 2, 4):
        (root / f'images/train_{i}.png').unlink()
    message = error_of(root)
    assert 'labels.csv row 3 (images/train_1.png)' in message and 'and 2 more' in message
    assert f'tools/check_dataset.py {root}' in message


@pytest.mark.parametrize(('value', 'word'), [('1', 'negative'), ('0', 'positive')])
def test_training_on_one_kind_of_image(tiny_dataset, value, word):
    root = edit(
        tiny_dataset(), lambda rows: [rows[0], *([*r[:2], value, *r[3:]] for r in rows[1:])]
    )
    assert f"no {word} image for class 'smoke'" in error_of(root)
    # it matters for training only
    assert len(WeakSegDataset(str(root), test_mode=True, check_masks=False)) == 6


def test_filter_that_fits_nothing_or_no_column(tiny_dataset):
    root = tiny_dataset()
    assert 'filter_cfg' in error_of(root, filter_cfg=dict(camera='east'))
    assert "'lens'" in error_of(root, filter_cfg=dict(lens='long'))


def test_folder_of_masks_that_does_not_exist(tiny_dataset, tmp_path):
    folder = tmp_path / 'run/masks'
    message = error_of(tiny_dataset(), seg_map_dir=str(folder))
    assert str(folder) in message and 'make_pseudo_labels' in message


def test_missing_mask_in_a_named_folder(tiny_dataset, tmp_path):
    root = tiny_dataset()
    folder = pseudo_masks(root, tmp_path / 'run/masks')
    (folder / 'train_3.png').unlink()
    message = error_of(root, seg_map_dir=str(folder))
    assert str(folder / 'train_3.png') in message and 'labels.csv row 5' in message


def test_mask_of_another_size(tiny_dataset):
    root = tiny_dataset()
    save_palette(root / 'masks/test_2.png', np.ones((48, 36), np.uint8))
    message = error_of(root, split='test', test_mode=True)
    assert 'masks/test_2.png' in message and '36x48' in message and '48x36' in message


def test_white_masks(tiny_dataset):
    root = tiny_dataset()
    mask = np.zeros((36, 48), np.uint8)
    mask[4:9, 4:9] = 255
    save(root / 'masks/test_0.png', mask)
    message = error_of(root, split='test', test_mode=True)
    assert f'white_to_one.py {root / "masks"}' in message
    assert len(WeakSegDataset(str(root), split='test', test_mode=True, check_masks=False)) == 4


def test_masks_of_other_splits_are_not_looked_at(tiny_dataset):
    root = tiny_dataset()
    (root / 'masks/val_0.png').write_bytes(b'no picture')
    assert len(WeakSegDataset(str(root), split='test', test_mode=True)) == 4
    assert 'masks/val_0.png' in error_of(root, split='val', test_mode=True)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_broken_image_is_named_with_its_row_from_any_worker(tiny_dataset, num_workers):
    root = tiny_dataset(suffix='.jpg')
    path = root / 'images/train_4.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    dataset = WeakSegDataset(str(root), pipeline=PIPELINE)
    loader = DataLoader(dataset, batch_size=3, num_workers=num_workers, collate_fn=pseudo_collate)
    batches = iter(loader)
    with pytest.raises(DataError) as caught:
        list(batches)
    assert list(batches) == []  # lets the workers end
    last = str(caught.value).strip().splitlines()[-1]
    assert str(path) in last and 'labels.csv row 6' in last and 'cannot be read' in last

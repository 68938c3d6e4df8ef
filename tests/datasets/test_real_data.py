import pytest
from conftest import ROOT, write_table
from mmengine.registry import DATASETS, DefaultScope

from mmsmoke.datasets import IJmondDataset, RISEDataset, Smoke5KDataset, WeakSegDataset
from mmsmoke.engine.launch import load_config
from mmsmoke.utils import DataError, UserError


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Function that writes data/NAME with empty image files; rows: labels and further columns."""
    monkeypatch.chdir(tmp_path)

    def write(name, rows, columns=('smoke',), split='train'):
        root = tmp_path / 'data' / name
        (root / 'images').mkdir(parents=True)
        lines = []
        for number, values in enumerate(rows):
            (root / f'images/{number}.jpg').touch()
            lines.append([f'images/{number}.jpg', split, *values])
        write_table(root, ['image', 'split', *columns], lines)

    return write


def test_each_data_set_is_found_where_its_converter_puts_it(table):
    for name, kind in (
        ('ijmond-clean', IJmondDataset),
        ('smoke5k', Smoke5KDataset),
        ('rise', RISEDataset),
    ):
        table(name, [(1,), (0,)])
        dataset = DATASETS.build(dict(type=f'mmsmoke.{kind.__name__}'))
        assert type(dataset) is kind and len(dataset) == 2
        assert dataset.metainfo['classes'] == ('background', 'smoke')


def test_two_opacities_are_two_classes(table):
    table('ijmond-clean', [(1, 0), (0, 1), (0, 0)], ('high_opacity', 'low_opacity'))
    dataset = IJmondDataset(opacities=True)
    assert dataset.label_classes == ('high_opacity', 'low_opacity')
    assert [info['gt_label'] for info in dataset] == [[0], [1], []]
    assert len(dataset.metainfo['palette']) == 3


def test_composites_can_be_left_out(table):
    table('smoke5k', [(1, 'hpwren'), (1, 'synthetic'), (0, 'video')], ('smoke', 'kind'))
    assert len(Smoke5KDataset()) == 3
    kinds = [info['columns']['kind'] for info in Smoke5KDataset(synthetic=False)]
    assert kinds == ['hpwren', 'video']
    table('plain', [(1,), (0,)])
    with pytest.raises(DataError, match=r"synthetic=False: .*labels\.csv has no column 'kind'"):
        Smoke5KDataset('data/plain', synthetic=False)


def test_clips_that_people_doubt_can_be_left_out(table):
    table('rise', [(1, '0.5'), (0, '1'), (1, '0.83'), (1, '1.0')], ('smoke', 'weight'))
    assert len(RISEDataset()) == 4
    weights = [info['columns']['weight'] for info in RISEDataset(min_weight=0.8)]
    assert weights == ['1', '0.83', '1.0']
    table('plain', [(1,), (0,)])
    with pytest.raises(DataError, match='min_weight needs a weight in each row'):
        RISEDataset('data/plain', min_weight=1)


def test_so_many_images_evenly_spread(table):
    table('mine', [(k % 2,) for k in range(10)])
    dataset = WeakSegDataset('data/mine', num_images=4)
    assert [info['image'] for info in dataset] == [f'images/{k}.jpg' for k in (0, 3, 6, 9)]
    positive = WeakSegDataset('data/mine', filter_cfg=dict(smoke=1), num_images=5)
    assert len(positive) == 5
    for number in (6, 0, -1):
        message = rf"data/mine: {number} images of split 'train' are wanted, 5 are"
        with pytest.raises(DataError, match=message):
            WeakSegDataset('data/mine', filter_cfg=dict(smoke=1), num_images=number)


def test_few_images_are_repeated_until_there_are_enough_for_an_epoch(table):
    table('mine', [(k % 2,) for k in range(10)])
    images = [info['image'] for info in WeakSegDataset('data/mine')]
    repeated = [info['image'] for info in WeakSegDataset('data/mine', at_least=25)]
    assert repeated == 3 * images
    assert [info['image'] for info in WeakSegDataset('data/mine', at_least=10)] == images
    half = WeakSegDataset('data/mine', at_least=9, num_images=5)
    assert len(half) == 10 and len({info['image'] for info in half}) == 5
    with pytest.raises(DataError, match='metrics see each image once'):
        WeakSegDataset('data/mine', at_least=25, test_mode=True)


@pytest.fixture
def thesis(table):
    """All sources of the thesis' mixture, a little larger than it."""
    table('ijmond-videos', [(int(k < 1600),) for k in range(2500)])
    table('smoke5k', [(1, 'synthetic' if k % 2 else 'hpwren') for k in range(60)],
          ('smoke', 'kind'))  # fmt: skip
    table('rise', [(k % 2,) for k in range(300)])
    windows = [(1, 'train' if k % 10 < 7 else 'val') for k in range(2180)]
    table('ijmond-thesis', windows, ('smoke', 't2'), split='test')


def build(config, loader='train_dataloader'):
    cfg = load_config(ROOT / 'configs/_base_/datasets' / config)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return DATASETS.build(cfg[loader].dataset)


def labels(dataset):
    return [bool(dataset.get_data_info(k)['gt_label']) for k in range(len(dataset))]


def test_the_mixture_of_the_thesis_has_its_numbers(thesis):
    t1 = build('ijmond-thesis-512.py')
    assert len(t1) == 2488
    assert [len(part) for part in t1.datasets] == [1537, 825, 19, 107]
    assert sum(labels(t1)) == 1556
    assert len(build('ijmond-thesis-512.py', 'test_dataloader')) == 2180


def test_t2_adds_windows_of_the_panoramas_of_the_test(thesis, tmp_path):
    path = tmp_path / 'data/ijmond-thesis/labels.csv'
    (tmp_path / 'data/ijmond-thesis/images/clear.jpg').touch()
    with path.open('a') as file:
        file.write('images/clear.jpg,clear,0,train\n')
    both = build('../../cam/resnet50-pcm_2e_ijmond-thesis-t2-512.py')
    assert len(both) == 2488 + 1526 + 1
    assert not labels(both)[-1]


@pytest.mark.parametrize('source', ['ijmond-videos', 'smoke5k', 'rise', 'ijmond-thesis'])
def test_a_source_that_is_too_small_is_named(thesis, source, tmp_path):
    path = tmp_path / 'data' / source / 'labels.csv'
    path.write_text('\n'.join(path.read_text().splitlines()[:12]))
    loader = 'test_dataloader' if source == 'ijmond-thesis' else 'train_dataloader'
    with pytest.raises(DataError, match=rf'data/{source}: \d+ images of split .* are wanted'):
        build('ijmond-thesis-512.py', loader)


def test_one_data_root_cannot_replace_several():
    config = ROOT / 'configs/cam/vit-base-cls_3e_ijmond-thesis-512.py'
    with pytest.raises(UserError, match='has several data sets'):
        load_config(config, options=dict(data_root='data/mine'))

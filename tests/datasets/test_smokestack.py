import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from mmsmoke.datasets.pictures import read_mask
from mmsmoke.datasets.smokestack.drawing.counterfactuals import KINDS
from mmsmoke.datasets.smokestack.drawing.render import OPACITY_CUT, render
from mmsmoke.datasets.smokestack.scenes import PRESETS, SPLITS, Smokestack
from mmsmoke.datasets.smokestack.writer import write_smokestack
from mmsmoke.datasets.writer import RECORD, count_table
from mmsmoke.utils import UserError

SIZE = 48
SMALL = {'size': 32, 'train': 27, 'val': 2, 'test': 3}


def smoking(source, count, split='train'):
    return [i for i in range(4 * count + 8) if source.labels(split, i)['smoke']][:count]


def bytes_below(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def same_scene(a, b):
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name))
        for field in dataclasses.fields(a)
    )


# One scene


def test_scene_depends_on_nothing_but_seed_split_and_index():
    first = Smokestack(size=SIZE).scene('val', 3)
    other = Smokestack(size=SIZE)
    np.random.seed(1)  # noqa: NPY002
    for index in (7, 0):
        other.scene('train', index)
    assert same_scene(first, other.scene('val', 3))


def test_scenes_differ_between_indices_splits_and_seeds():
    images = [Smokestack(size=SIZE).scene(split, i).image for split in SPLITS for i in range(6)]
    images += [Smokestack(size=SIZE, seed=1).scene('train', i).image for i in range(6)]
    assert len({image.tobytes() for image in images}) == len(images)


def test_types_and_shapes():
    scene = Smokestack(size=SIZE).scene('smoke_only', 0)
    assert scene.image.shape == (SIZE, SIZE, 3)
    assert scene.smoke.shape == scene.context.shape == scene.opacity.shape == (SIZE, SIZE)
    kinds = [scene.image.dtype, scene.smoke.dtype, scene.context.dtype, scene.opacity.dtype]
    assert kinds == [np.uint8, np.uint8, np.uint8, np.float32]
    assert type(scene.label) is int


@pytest.mark.parametrize('split', SPLITS)
def test_label_tells_whether_there_is_smoke(split):
    source = Smokestack('easy', SIZE)
    for index in range(60):
        scene = source.scene(split, index)
        assert scene.label == source.labels(split, index)['smoke'] == int(scene.smoke.any())
        assert np.array_equal(scene.smoke, scene.opacity > OPACITY_CUT)
        assert not (scene.smoke & scene.context).any()


def test_counterfactual_splits():
    source = Smokestack(size=SIZE)
    for index in range(40):
        chimneys = source.scene('chimney_only', index)
        assert chimneys.label == 0
        assert chimneys.context.any()
        assert not chimneys.opacity.any()
        smoke = source.scene('smoke_only', index)
        assert smoke.label == 1
        assert smoke.smoke.any()
        assert not smoke.context.any()
        assert 1 <= len(source.layout('chimney_only', index).chimneys) <= 3


def test_smoke_covers_a_sensible_share():
    source = Smokestack(size=64)
    shares = [source.scene('train', i).smoke.mean() for i in smoking(source, 150)]
    assert 0.07 < np.median(shares) < 0.16
    assert min(shares) > 0.002
    assert max(shares) < 0.55


# What the knobs do


@pytest.mark.parametrize(('preset', 'probability'), PRESETS.items())
def test_chimneys_on_clear_images_come_at_the_rate_of_the_preset(preset, probability):
    source = Smokestack(preset)
    layouts = [source.layout('train', i) for i in range(1000)]
    clear = [bool(layout.chimneys) for layout in layouts if not layout.label]
    spread = np.sqrt(probability * (1 - probability) / len(clear))
    assert abs(np.mean(clear) - probability) <= 4 * spread
    assert all(layout.chimneys for layout in layouts if layout.label)
    assert abs(np.mean([layout.label for layout in layouts]) - 0.5) < 4 * np.sqrt(0.25 / 1000)


def test_presets_change_only_the_chimneys_of_clear_images():
    easy, extreme = Smokestack('easy'), Smokestack('extreme')
    for index in range(80):
        layout = easy.layout('train', index)
        if layout.label == 0:
            layout = dataclasses.replace(layout, chimneys=())
        assert layout == extreme.layout('train', index)


def test_smoke_without_chimneys():
    source = Smokestack(size=SIZE, p_chimney_smoke=0.3)
    indices = smoking(source, 200)
    rate = np.mean([bool(source.layout('train', i).chimneys) for i in indices])
    assert abs(rate - 0.3) < 4 * np.sqrt(0.21 / 200)
    assert Smokestack('biased', p_chimney_clear=0.7).p_chimney_clear == 0.7


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'preset': 'hard'}, "unknown preset 'hard'; choose from easy, biased, extreme"),
        ({'size': 31}, 'size must be at least 32, not 31'),
        ({'seed': -1}, 'seed must not be negative'),
        ({'p_chimney_smoke': 1.1}, 'p_chimney_smoke must lie between 0 and 1'),
        ({'p_chimney_clear': float('nan')}, 'p_chimney_clear must lie between 0 and 1'),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Smokestack(**options)


def test_unknown_split_is_named():
    with pytest.raises(ValueError, match="unknown split 'holdout'"):
        Smokestack().scene('holdout', 0)


# Layout and drawing


@pytest.mark.parametrize('split', ['train', 'smoke_only'])
def test_removing_the_plumes_changes_only_what_they_cover(split):
    source = Smokestack(size=96)
    for index in smoking(source, 12, split):
        layout = source.layout(split, index)
        scene = render(layout, 96)
        without = render(dataclasses.replace(layout, plumes=()), 96)
        changed = (scene.image != without.image).any(axis=2)
        assert not changed[scene.opacity == 0].any()
        assert changed[scene.smoke == 1].mean() > 0.8
        assert not without.smoke.any()


def test_removing_the_chimneys_leaves_the_sky_and_the_smoke():
    source = Smokestack(size=96)
    for index in smoking(source, 8):
        layout = source.layout('train', index)
        scene = render(layout, 96)
        without = render(dataclasses.replace(layout, chimneys=()), 96)
        assert np.array_equal(scene.opacity, without.opacity)
        changed = (scene.image != without.image).any(axis=2)
        assert changed[scene.context == 1].mean() > 0.8
        tops = min(chimney.top for chimney in layout.chimneys)
        assert not changed[: int(tops * 96)].any()


def test_moving_a_plume_moves_its_smoke_alone():
    layout = Smokestack().layout('smoke_only', 4)
    moved = tuple(dataclasses.replace(plume, x=plume.x - 0.2) for plume in layout.plumes)
    here, there = render(layout, 96), render(dataclasses.replace(layout, plumes=moved), 96)
    changed = (here.image != there.image).any(axis=2)
    assert changed.any()
    assert not changed[(here.opacity == 0) & (there.opacity == 0)].any()


def test_a_scene_is_the_same_at_every_resolution():
    source = Smokestack()
    overlaps, differences = [], []
    for index in smoking(source, 30):
        layout = source.layout('train', index)
        small, large = render(layout, 64), render(layout, 128)
        shrunk = large.opacity.reshape(64, 2, 64, 2).mean(axis=(1, 3)) > OPACITY_CUT
        mask = small.smoke == 1
        overlaps.append((mask & shrunk).sum() / (mask | shrunk).sum())
        image = large.image.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
        differences.append(np.abs(image - small.image).mean())
    assert np.mean(overlaps) > 0.9
    assert min(overlaps) > 0.6
    assert np.mean(differences) < 8


# On disk


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('smokestack') / 'out'
    return root, write_smokestack(root, workers=1, **SMALL)


def test_files_hold_the_scenes(written):
    root, result = written
    with (root / 'labels.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    counts = {'train': 27, 'val': 2, 'test': 3, 'chimney_only': 3, 'smoke_only': 3}
    assert result.images == len(rows) == sum(counts.values())
    header, lines = count_table(result.rows)
    assert header == ['split', 'images', 'smoke', 'clear']
    assert {split: images for split, images, _, _ in lines} == counts
    assert lines[-1] == ['smoke_only', 3, 3, 0]
    assert len(bytes_below(root)) == 3 * len(rows) + 2

    source = Smokestack(size=32)
    for row in rows:
        folder, split, name = row['image'].split('/')
        assert (folder, split) == ('images', row['split'])
        scene = source.scene(split, int(name.removesuffix('.png')))
        assert int(row['smoke']) == scene.label
        assert np.array_equal(Image.open(root / row['image']), scene.image)
        for kind, expected in (('masks', scene.smoke), ('context', scene.context)):
            picture = Image.open(root / kind / split / name)
            assert picture.mode == 'P'
            assert np.array_equal(picture, expected)


def test_record_tells_how_it_was_drawn(written):
    record = json.loads((written[0] / RECORD).read_text())
    assert record['complete'] is True
    expected = {'preset': 'biased', 'size': 32, 'seed': 0, 'train': 27, 'p_chimney_clear': 0.1}
    assert expected.items() <= record.items()
    assert record['opacity_cut'] == OPACITY_CUT


def test_number_of_workers_does_not_show(written, tmp_path):
    write_smokestack(tmp_path / 'two', workers=2, **SMALL)
    assert bytes_below(tmp_path / 'two') == bytes_below(written[0])


def test_complete_data_set_is_left_alone(written):
    before = {path: path.stat().st_mtime_ns for path in written[0].rglob('*')}
    again = write_smokestack(written[0], **SMALL)
    assert again.images == 0
    assert again.rows == written[1].rows
    assert before == {path: path.stat().st_mtime_ns for path in written[0].rglob('*')}


def test_interrupted_run_is_finished(written, tmp_path):
    root = tmp_path / 'out'
    write_smokestack(root, workers=1, **SMALL)
    record = root / RECORD
    record.write_text(json.dumps({**json.loads(record.read_text()), 'complete': False}))
    (root / 'labels.csv').unlink()
    (root / 'images/train/000005.png').unlink()
    (root / 'masks/val/000001.png').unlink()
    (root / 'context/smoke_only/000002.png').unlink()
    (root / 'images/train/.000005.77.tmp.png').write_bytes(b'half a picture')
    kept = (root / 'images/train/000000.png').stat().st_mtime_ns

    assert write_smokestack(root, workers=1, **SMALL).images == 3
    assert (root / 'images/train/000000.png').stat().st_mtime_ns == kept
    assert bytes_below(root) == bytes_below(written[0])


@pytest.mark.parametrize(
    ('name', 'value'), [('seed', 1), ('size', 40), ('train', 5), ('p_chimney_smoke', 0.5)]
)
def test_other_parameters_are_refused(written, name, value):
    before = bytes_below(written[0])
    with pytest.raises(ValueError, match=f'with {name} .*another folder or pass --overwrite'):
        write_smokestack(written[0], **{**SMALL, name: value})
    assert bytes_below(written[0]) == before


def test_overwrite_replaces_the_old_images(tmp_path):
    few = {**SMALL, 'train': 2}
    write_smokestack(tmp_path / 'new', workers=1, **few)
    write_smokestack(tmp_path / 'old', workers=1, seed=5, **SMALL)
    write_smokestack(tmp_path / 'old', workers=1, overwrite=True, **few)
    assert bytes_below(tmp_path / 'old') == bytes_below(tmp_path / 'new')


@pytest.mark.parametrize('overwrite', [False, True])
def test_foreign_folder_is_never_touched(tmp_path, overwrite):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images/mine.png').write_bytes(b'mine')
    with pytest.raises(ValueError, match='holds something else'):
        write_smokestack(tmp_path, overwrite=overwrite, **SMALL)
    assert bytes_below(tmp_path) == {'images/mine.png': b'mine'}


# Command line


@pytest.fixture
def draw(load_tool, run_main):
    main = load_tool('dataset_converters/smokestack.py').main
    return lambda *args: run_main(main, *args, '--workers', 1)


def test_command_draws_into_its_default_folder(tmp_path, monkeypatch, draw):
    monkeypatch.chdir(tmp_path)
    options = ['--preset', 'easy', '--size', 32, '--train', 9, '--val', 1, '--test', 1]
    code, text, error = draw(*options, '--classes', 'smoke', 'steam')
    assert code == 0, error
    with open(tmp_path / 'data/smokestack-easy-32/labels.csv', newline='') as file:
        rows = [row for row in csv.DictReader(file) if row['split'] == 'train']
    clear = sum(row['smoke'] == row['steam'] == '0' for row in rows)
    counts = [str(sum(int(row[name]) for row in rows)) for name in ('smoke', 'steam')]
    table = [line.strip('|').split('|') for line in text.splitlines()]
    header, _, train, *_ = ([cell.strip() for cell in line] for line in table)
    assert header == ['split', 'images', 'smoke', 'steam', 'clear']
    assert train == ['train', '9', *counts, str(clear)]
    assert 'chimney_only' in text and 'per second' in text


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '16'], 'size must be at least 32, not 16'),
        (['--train', '-1'], 'train must not be negative, not -1'),
        (['--p-chimney-clear', '1.5'], 'p_chimney_clear must lie between 0 and 1, not 1.5'),
        (['--preset', 'hard'], "invalid choice: 'hard'"),
    ],
)
def test_command_tells_what_is_wrong(tmp_path, draw, arguments, message):
    code, _, error = draw(tmp_path / 'out', *arguments)
    assert code == 2 and message in error.splitlines()[-1]
    assert not (tmp_path / 'out').exists()


def test_a_sheet_of_too_small_scenes(tmp_path, load_tool, run_main):
    main = load_tool('analysis/smokestack_sheet.py').main
    code, _, error = run_main(main, tmp_path / 'sheet.png', '--size', 16)
    assert code == 2 and error == 'error: size must be at least 32, not 16\n'


# Exact pairs


def test_pairs_differ_in_their_smoke_and_chimneys_alone():
    source = Smokestack(size=SIZE)
    for index, kinds in source.pairs(4):
        assert tuple(kinds) == KINDS
        scenes = {kind: render(layout, 64) for kind, layout in kinds.items()}
        assert same_scene(scenes['both'], render(source.layout('pairs', index), 64))
        labels = {kind: scene.label for kind, scene in scenes.items()}
        assert labels == dict(both=1, smoke=1, chimney=0, neither=0, moved=1)
        for kind, scene in scenes.items():
            assert scene.smoke.any() == bool(scene.label)
            assert scene.context.any() == (kind in ('both', 'chimney', 'moved'))
        for kind, other in (('both', 'chimney'), ('smoke', 'neither'), ('moved', 'chimney')):
            changed = (scenes[kind].image != scenes[other].image).any(-1)
            assert not (changed & (scenes[kind].opacity == 0)).any()
        at_chimneys = np.zeros((64, 64), bool)
        for one in kinds['both'].chimneys:
            rows, columns = (np.arange(64) + 0.5) / 64, abs((np.arange(64) + 0.5) / 64 - one.x)
            tall = (rows > one.top - 2 / 64) & (rows < one.base + 2 / 64)
            at_chimneys |= tall[:, None] & (columns < one.width_base / 2 + 2 / 64)
        for kind, other in (('both', 'smoke'), ('chimney', 'neither')):
            changed = (scenes[kind].image != scenes[other].image).any(-1)
            assert changed.any() and not (changed & ~at_chimneys).any()
        # smoke may hide chimneys, and nothing else of a chimney changes
        assert np.array_equal(scenes['both'].opacity > 0, scenes['smoke'].opacity > 0)
        hidden = (scenes['both'].opacity > 0) | (scenes['moved'].opacity > 0)
        changed = (scenes['moved'].image != scenes['both'].image).any(-1)
        assert not (changed & ~hidden).any()


def test_moved_smoke_keeps_away_from_all_chimneys():
    for _, kinds in Smokestack(size=SIZE).pairs(8):
        moved, chimney = render(kinds['moved'], 64), render(kinds['chimney'], 64)
        assert moved.smoke.mean() > 0.01
        assert moved.smoke[chimney.context > 0].mean() < 0.1
        assert {replace_place(plume) for plume in kinds['moved'].plumes} == {
            replace_place(plume) for plume in kinds['both'].plumes
        }


def replace_place(plume):
    """The plume without where it rises and which way it is blown."""
    return dataclasses.replace(plume, x=0, y=0, reach=abs(plume.reach))


def test_pairs_are_the_same_in_every_preset():
    first, second = (list(Smokestack(preset).pairs(3)) for preset in ('easy', 'extreme'))
    assert first == second


def test_unlabelled_scenes_show_idle_chimneys_whatever_the_preset(tmp_path):
    source = Smokestack('extreme')
    presence = [source._presence('unlabelled', index) for index in range(400)]
    clear = [chimney for smokes, chimney, *_ in presence if not smokes]
    assert 0.4 < sum(clear) / len(clear) < 0.6
    assert all(chimney for smokes, chimney, *_ in presence if smokes)
    few = dict(SMALL, preset='extreme', workers=1)
    none = write_smokestack(tmp_path / 'none', **few)
    some = write_smokestack(tmp_path / 'some', **few, unlabelled=3)
    assert some.rows[: len(none.rows)] == none.rows
    assert [row['split'] for row in some.rows[len(none.rows) :]] == 3 * ['unlabelled']


# Steam as a second class


def with_steam(count=40, **settings):
    source = Smokestack('easy', SIZE, steam=True, **settings)
    return [(source.labels('train', i), source.scene('train', i)) for i in range(count)]


def test_steam_leaves_smoke_and_chimneys_where_they_are():
    plain = Smokestack('easy', SIZE)
    for index, (labels, scene) in enumerate(with_steam()):
        without = plain.scene('train', index)
        assert labels['smoke'] == plain.labels('train', index)['smoke']
        smoke, context = scene.smoke == 1, scene.context == 1
        assert not (smoke & (without.smoke == 0)).any()
        assert not (context & (without.context == 0)).any()
        if not labels['steam'] and not (scene.context == 2).any():
            assert same_scene(scene, without)


def test_labels_tell_what_can_be_seen():
    scenes = with_steam(60)
    for labels, scene in scenes:
        assert not (scene.smoke & scene.steam).any()
        assert not (scene.context[(scene.smoke | scene.steam) == 1]).any()
        assert labels['steam'] >= scene.steam.any()
    kinds = {tuple(labels.values()) for labels, _ in scenes}
    assert kinds == {(0, 0), (0, 1), (1, 0), (1, 1)}
    seen = [scene.steam.mean() > 0.003 for labels, scene in scenes if labels['steam']]
    assert sum(seen) / len(seen) > 0.9


def test_steam_is_white_and_rises_from_cooling_towers():
    source = Smokestack('extreme', SIZE, steam=True)
    for index in range(60):
        layout = source.layout('train', index)
        assert bool(layout.towers) == bool(layout.steam)  # nothing stands idle
        assert [one.x for one in layout.steam] == [one.x for one in layout.towers]
        for one in layout.steam:
            assert max(one.lit) - min(one.lit) < 0.5
    layouts = [Smokestack('easy', steam=True).layout('train', index) for index in range(30)]
    assert any(one.towers and not one.steam for one in layouts)


def test_two_classes_on_disk(tmp_path):
    few = dict(SMALL, workers=1, preset='easy')
    written = write_smokestack(tmp_path / 'two', **few, pairs=2, classes=('smoke', 'steam'))
    assert {'smoke', 'steam'} <= set(written.rows[0])
    values = set()
    for row in written.rows:
        mask = read_mask(tmp_path / 'two' / row['image'].replace('images', 'masks', 1))
        present = set(np.unique(mask)) - {0}
        assert present <= {k + 1 for k, name in enumerate(('smoke', 'steam')) if row[name]}
        values |= present
    assert values == {1, 2}
    one = write_smokestack(tmp_path / 'one', **few)
    assert 'steam' not in one.rows[0]
    for root, named in (('one', 2), ('two', 3)):  # grey beyond; results keep hashes of the files
        for folder in ('masks', 'context'):
            path = tmp_path / root / one.rows[0]['image'].replace('images', folder)
            with Image.open(path) as png:
                assert set(png.getpalette()[3 * named :]) == {128}
                assert set(png.getpalette()[3 * named - 3 : 3 * named]) != {128}
    assert [row['smoke'] for row in one.rows] == [
        row['smoke'] for row in written.rows if row['split'] != 'pairs'
    ]


def test_classes_that_cannot_be_drawn(tmp_path):
    for classes in (('steam',), ('smoke', 'fog'), ()):
        with pytest.raises(UserError, match='classes must be smoke, or smoke and steam'):
            write_smokestack(tmp_path / 'x', **SMALL, classes=classes)


def test_pairs_on_disk(tmp_path):
    written = write_smokestack(tmp_path / 'pairs', **SMALL, pairs=2, workers=1)
    rows = [row for row in written.rows if row['split'] == 'pairs']
    expected = [index for index, _ in Smokestack(size=32).pairs(2)]
    assert [(row['scene'], row['kind']) for row in rows] == [
        (index, kind) for index in expected for kind in KINDS
    ]
    for row in rows:
        scene = render(dict(Smokestack(size=32).pairs(2))[row['scene']][row['kind']], 32)
        assert np.array_equal(np.array(Image.open(tmp_path / 'pairs' / row['image'])), scene.image)
    with open(tmp_path / 'pairs/labels.csv', newline='') as file:
        table = list(csv.DictReader(file))
    assert {row['kind'] for row in table if row['split'] != 'pairs'} == {''}

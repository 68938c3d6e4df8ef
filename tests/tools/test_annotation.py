"""The loop: suggest, correct, read back."""

import csv
import json

import numpy as np
import pytest
from conftest import save, save_palette
from tiny_trained import tiny_model, tiny_segmentor, trained

from mmsmoke.datasets.pictures import read_mask


@pytest.fixture
def data(tiny_dataset):
    return tiny_dataset(splits=dict(train=6, val=2, test=2))


@pytest.mark.parametrize('form', ['cvat', 'label-studio', 'coco', 'labelme'])
def test_a_round_of_the_loop(load_tool, run_main, data, tmp_path, form):
    _, weights = trained(tmp_path, tiny_segmentor())
    _, other = trained(tmp_path, tiny_model(1))
    out = tmp_path / 'round1'
    code, text, error = run_main(
        load_tool('suggest_labels.py').main, data, weights, other, '--count', 3, '--out', out,
        '--format', form, '--device', 'cpu',
    )  # fmt: skip
    assert (code, error) == (0, '') and '3 images' in text and 'outlines to correct' in text
    assert 'labels that the project needs: smoke' in text
    with open(out / 'suggested.csv', newline='') as file:
        images = [row['image'] for row in csv.DictReader(file)]
    assert len(images) == 3 and all(name.startswith('images/train_') for name in images)
    (given,) = out.glob('proposals*') if form != 'label-studio' else out.glob('proposals.json')
    if form == 'label-studio':  # somebody accepts what the model proposes
        tasks = json.loads(given.read_text())
        for task in tasks:
            task['annotations'] = [dict(result=task.pop('predictions')[0]['result'])]
        given.write_text(json.dumps(tasks))
    back = load_tool('dataset_converters/polygons_to_masks.py').main
    code, _, error = run_main(back, given, '--out', data)
    assert code == 2 and 'nothing was written, pass --overwrite' in error
    code, text, error = run_main(back, given, '--out', data, '--overwrite')
    assert (code, error) == (0, '') and 'masks new' in text and 'labels changed' in text
    for name in images:
        name = name.removeprefix('images/')
        if (data / 'masks' / name).is_file():
            mask, proposed = read_mask(data / 'masks' / name), read_mask(out / 'masks' / name)
            assert (mask == proposed).mean() > 0.98
    code, text, _ = run_main(back, given, '--out', data)
    assert code == 0 and '0 masks new, 0 masks changed, 3 masks unchanged' in text


def test_masks_of_several_classes(load_tool, run_main, tmp_path):
    save(tmp_path / 'photos/a/1.jpg', np.zeros((20, 30, 3), np.uint8))
    save(tmp_path / 'photos/a/2.jpg', np.zeros((20, 30, 3), np.uint8))
    mask = np.zeros((20, 30), np.uint8)
    mask[2:9, 2:9], mask[11:18, 20:28] = 1, 2
    save_palette(tmp_path / 'out/masks/a/1.png', mask)
    tool = load_tool('dataset_converters/masks_to_polygons.py').main
    options = '--images', tmp_path / 'photos', '--classes', 'smoke', 'steam'
    path = tmp_path / 'o.xml'
    code, text, error = run_main(
        tool, tmp_path / 'out', *options, '--format', 'cvat', '--out', path, '--model', 'm'
    )
    assert (code, error) == (0, '')
    assert '2 outlines in 1 images' in text and '1 images have no mask' in text
    back = load_tool('dataset_converters/polygons_to_masks.py').main
    new = tmp_path / 'new'
    code, text, error = run_main(back, path, '--out', new, *options, '--split', 'val')
    assert (code, error) == (0, '') and '1 masks new, 0 masks changed' in text
    np.testing.assert_array_equal(read_mask(new / 'masks/a/1.png'), mask)
    assert (new / 'labels.csv').read_text() == ('image,split,smoke,steam\nimages/a/1.jpg,val,1,1\n')
    # the new data set knows its classes
    code, text, _ = run_main(tool, new, '--format', 'csv', '--out', tmp_path / 'o.csv')
    assert code == 0 and len((tmp_path / 'o.csv').read_text().splitlines()) == 3
    code, _, error = run_main(tool, new, '--format', 'csv', '--out', tmp_path / 'o.csv')
    assert code == 2 and 'pass --overwrite' in error


def test_a_random_choice_needs_no_model_and_proposals_do(load_tool, run_main, data, tmp_path):
    tool, out = load_tool('suggest_labels.py').main, tmp_path / 'out'
    arguments = data, '--by', 'random', '--out', out
    code, _, error = run_main(tool, *arguments, '--format', 'coco')
    assert code == 2 and '--format needs a model' in error and not out.exists()
    code, text, _ = run_main(tool, *arguments, '--count', 2)
    assert code == 0 and '2 images' in text
    assert sorted(path.name for path in out.iterdir()) == ['suggested.csv', 'suggested.png']


def test_broken_images_are_named_and_configs_may_be(load_tool, run_main, tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor(), with_config=False)
    (tmp_path / 'config.py').write_text(cfg.pretty_text)
    save(tmp_path / 'photos/1.png', np.zeros((24, 32, 3), np.uint8))
    (tmp_path / 'photos/2.png').write_bytes(b'broken')
    code, text, error = run_main(
        load_tool('suggest_labels.py').main, tmp_path / 'photos',
        f'{tmp_path / "config.py"}:{weights}', '--out', tmp_path / 'out', '--device', 'cpu',
    )  # fmt: skip
    assert code == 1 and '1 images' in text and '2.png: image cannot be read' in error

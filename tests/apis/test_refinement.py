import json

import pytest
from label_runs import label_config
from PIL import Image

from mmsmoke.apis.refinement import compare_refiners, refinement_table
from mmsmoke.apis.tables import table_of
from mmsmoke.utils import UserError


@pytest.fixture
def plan(tiny_dataset, tmp_path, checkpoint):
    """A plan file of two rows, and two classifiers."""
    root = tiny_dataset(splits=dict(train=4, val=4, test=6))
    cfg = label_config(root, tmp_path / 'unused', checkpoint())
    cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
    cfg.dump(str(tmp_path / 'label.py'))
    crf = dict(type='mmsmoke.CRFHook', backend='torch')
    path = tmp_path / 'plan.py'
    path.write_text(
        f'config = {str(tmp_path / "label.py")!r}\n'
        f'rows = dict(none=dict(), crf=dict(refiners=[{crf!r}]))\n'
        "threshold_split, test_split = 'val', 'test'\n"
    )
    return path, dict(good=str(checkpoint()))


def test_each_row_is_measured_on_test_with_the_threshold_from_val(plan, tmp_path, capsys):
    path, classifiers = plan
    out = tmp_path / 'found.json'
    result = compare_refiners(str(path), classifiers, str(tmp_path / 'work'), str(out))
    assert list(result['rows']) == ['none', 'crf']
    for name, row in result['rows'].items():
        numbers = row['good']
        assert numbers['oracle'] >= max(numbers[key] for key in ('fixed', 'dataset', 'otsu'))
        manifest = json.loads((tmp_path / f'work/good/{name}/test/manifest.json').read_text())
        assert manifest['split'] == 'test' and len(manifest['images']) == 6
        assert manifest['protocol']['threshold'] == numbers['threshold']
        assert manifest['protocol']['threshold_split'] == 'val'
    assert result['rows']['none']['good'] != result['rows']['crf']['good']
    with Image.open(tmp_path / 'found_good.png') as sheet:
        # positives of the test split in rows; the image, the truth and both refinements in columns
        assert sheet.size == (4 * 134 + 6, 34 + 3 * 102)
    assert table_of(out) == refinement_table(result)
    assert f'{result["rows"]["crf"]["good"]["dataset"]:.1f}' in table_of(out).splitlines()[-1]

    written = (tmp_path / 'work/good/crf/test/manifest.json').stat().st_mtime_ns
    capsys.readouterr()
    again = compare_refiners(str(path), classifiers, str(tmp_path / 'work'), str(out))
    assert again['rows'] == result['rows'] and '$ python' not in capsys.readouterr().out
    assert (tmp_path / 'work/good/crf/test/manifest.json').stat().st_mtime_ns == written


def test_a_network_that_a_row_needs_is_trained_on_labels_of_its_classifier(plan, tmp_path):
    path, classifiers = plan
    (tmp_path / 'affinity.py').write_text(
        "_base_ = 'mmsmoke::affinity/psa_resnet18-s_6e_smokestack-128.py'\n"
        'train_dataloader = dict(batch_size=2)\n'
        'train_cfg = dict(max_epochs=1)\n'
    )
    net = str(tmp_path / 'affinity.py')
    labels = dict(type='mmsmoke.AffinityLabelHook', backend='torch')
    hook = dict(type='mmsmoke.AffinityHook', model=dict(config=net), checkpoint='{psa}', log_t=2)
    path.write_text(
        path.read_text()
        + f'trained = dict(psa=dict(config={net!r}, labels=[{labels!r}]))\n'
        + f'rows = dict(walk=dict(refiners=[{hook!r}]))\n'
    )
    result = compare_refiners(str(path), classifiers, str(tmp_path / 'work'))
    folder = tmp_path / 'work/good'
    manifest = json.loads((folder / 'psa/labels/manifest.json').read_text())
    assert manifest['split'] == 'train' and len(manifest['images']) == 4
    assert result['rows']['walk']['good']['oracle'] > 0
    used = json.loads((folder / 'walk/test/manifest.json').read_text())['settings']['refiners']
    assert list(used) == [str(folder / 'psa/epoch_1.pth')]


def test_an_unknown_row_is_named(plan, tmp_path):
    path, classifiers = plan
    with pytest.raises(UserError, match="has no row 'sam', but"):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'), rows=['sam'])

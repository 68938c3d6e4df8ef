import json
from functools import partial

import pytest
import torch
from here import Here
from label_runs import label_config
from PIL import Image

from mmsmoke.experiments.comparison import compare_refiners, refinement_table
from mmsmoke.reports.tables import table_of
from mmsmoke.utils import UserError
from mmsmoke.utils.environment import checkpoint_record


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
    result = compare_refiners(
        str(path), classifiers, str(tmp_path / 'work'), str(out), executor=Here()
    )
    assert list(result['rows']) == ['none', 'crf']
    assert result['checkpoints'] == dict(good=checkpoint_record(classifiers['good']))
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
    again = compare_refiners(
        str(path), classifiers, str(tmp_path / 'work'), str(out), executor=Here()
    )
    assert again['rows'] == result['rows'] and '$ python' not in capsys.readouterr().out
    assert (tmp_path / 'work/good/crf/test/manifest.json').stat().st_mtime_ns == written


@pytest.fixture
def needs_affinity(plan, tmp_path):
    """Adds a row to the plan that needs a network of its own for each classifier."""
    path, _ = plan
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
    return path


def test_a_network_that_a_row_needs_is_trained_for_each_classifier(
    plan, needs_affinity, tmp_path, capsys
):
    _, classifiers = plan
    other = tmp_path / 'other.pth'
    weights = torch.load(classifiers['good'], weights_only=True)
    weights['state_dict'] = {k: v * 2 for k, v in weights['state_dict'].items()}
    torch.save(weights, other)
    compare = partial(
        compare_refiners, str(needs_affinity), work_dir=str(tmp_path / 'work'), executor=Here()
    )
    result = compare(dict(classifiers, bad=str(other)))
    for name in ('good', 'bad'):
        folder = tmp_path / 'work' / name
        manifest = json.loads((folder / 'psa/labels/manifest.json').read_text())
        assert manifest['split'] == 'train' and len(manifest['images']) == 4
        assert result['rows']['walk'][name]['oracle'] > 0
        used = json.loads((folder / 'walk/test/manifest.json').read_text())['settings']['refiners']
        assert list(used) == [str(folder / 'psa/epoch_1.pth')]

    # other weights in a file of the same name
    net = tmp_path / 'work/bad/psa/epoch_1.pth'
    weights = torch.load(net, weights_only=False)
    weights['state_dict'] = {k: v * 1.5 for k, v in weights['state_dict'].items()}
    torch.save(weights, net)
    capsys.readouterr()
    compare(dict(classifiers, bad=str(other)))
    said = capsys.readouterr().out
    assert 'bad/walk/config.py' in said and 'good/walk/config.py' not in said
    assert 'train.py' not in said


def test_a_row_with_a_config_of_its_own_has_no_network_trained(plan, needs_affinity, tmp_path):
    path, classifiers = plan
    text = path.read_text().replace(
        'rows = dict(walk=dict(', 'rows = dict(walk=dict(config=config, '
    )
    path.write_text(text)
    with pytest.raises(UserError, match=r"row 'walk' has a config of its own, and"):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'))


@pytest.mark.parametrize(
    'old, new, message',
    [
        ('walk=', 'psa=', "row 'psa' and the network 'psa' would share a folder"),
        ("'{psa}'", "'{irn}'", "row 'walk' needs 'irn', which is not among trained"),
        (', test_split', ', tset_split', 'is no comparison: it lacks test_split'),
    ],
)
def test_mistakes_in_a_plan_are_named(plan, needs_affinity, tmp_path, old, new, message):
    path, classifiers = plan
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=message):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'))


def test_rows_cannot_be_compared_without_true_masks(plan, tmp_path):
    path, classifiers = plan
    for mask in (tmp_path / 'tiny/masks').glob('test_*.png'):
        mask.unlink()
    with pytest.raises(UserError, match="tiny: 'test' has no true masks to compare by"):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'))


def test_rows_without_their_weights_are_left_out(plan, tmp_path, capsys):
    path, classifiers = plan
    proposals = dict(type='mmsmoke.SAMProposals', checkpoint=str(tmp_path / 'sam.pth'))
    sam = dict(type='mmsmoke.SAMHook', proposals=proposals)
    path.write_text(path.read_text() + f'rows = dict(sam=dict(refiners=[{sam!r}]))\n')
    with pytest.raises(UserError, match='no row can be run without its weights'):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'))
    assert f"row 'sam' is left out: {tmp_path}/sam.pth not found" in capsys.readouterr().out
    with pytest.raises(UserError, match='search failed with exit code 2'):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'), rows=['sam'])
    assert "SAM's weights" in capsys.readouterr().out


def test_missing_files_are_named_before_anything_runs(plan, tmp_path):
    path, classifiers = plan
    with pytest.raises(UserError, match=r"none.pth, the checkpoint of 'bad', not found"):
        compare_refiners(str(path), dict(classifiers, bad='none.pth'), str(tmp_path / 'work'))
    options = {'test_dataloader.dataset.data_root': str(tmp_path / 'nowhere')}
    with pytest.raises(UserError, match=r'nowhere/labels.csv not found'):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'), options=options)


def test_an_unknown_row_is_named(plan, tmp_path):
    path, classifiers = plan
    with pytest.raises(UserError, match="has no row 'sam', but"):
        compare_refiners(str(path), classifiers, str(tmp_path / 'work'), rows=['sam'])


def test_with_a_baseline_classifiers_are_seeds():
    def numbers(value):
        return dict(fixed=value, dataset=value + 1, otsu=value, oracle=9 * value)

    rows = dict(
        none={'seed-0': numbers(1.0), 'seed-1': numbers(5.0), 'seed-2': numbers(9.0)},
        crf={'seed-0': numbers(2.0), 'seed-1': numbers(6.1), 'seed-2': numbers(10.0)},
    )
    claims = [dict(claim='CRF helps', more='crf', less='none', column='threshold from val')]
    result = dict(refinement='plan.py', protocol=dict(test_split='test'), rows=rows)
    table = refinement_table({**result, 'baseline': 'none', 'claims': claims})
    first, second = table.split('\n\n')
    cells = [line.replace(' ', '').split('|')[1:4] for line in first.splitlines()[2:]]
    assert cells == [['none', '3', '5.0±4.0'], ['crf', '3', '6.0±4.0▲']]
    assert '| CRF helps |' in second and '| holds ' in second
    assert 'seed-1, oracle' in refinement_table(result)

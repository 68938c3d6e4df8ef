import json

import numpy as np
import pytest
import torch
from conftest import save_palette
from label_runs import label_config, run
from mmengine.config import Config
from PIL import Image

from mmsmoke.experiments import work
from mmsmoke.experiments.label_step import labelling
from mmsmoke.experiments.step import Step
from mmsmoke.experiments.threshold import read_threshold, search_threshold, use_threshold
from mmsmoke.utils import UserError, sha256_of_file


@pytest.fixture
def label_run(tiny_dataset, tmp_path, checkpoint):
    """A config file of a label run with a refiner, and its checkpoint."""

    def make(masks=True, classes=('smoke',), **hook):
        root = tiny_dataset(masks=masks, classes=classes, splits=dict(train=6, val=6))
        weights = checkpoint(len(classes))
        cfg = label_config(root, tmp_path / 'work', weights, classes, **hook)
        crf = dict(type='mmsmoke.CRFHook', backend='torch')
        cfg.custom_hooks = [crf, *cfg.custom_hooks]
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        path = tmp_path / 'label.py'
        cfg.dump(str(path))
        return Config.fromfile(str(path)), weights

    return make


def on_split(path, split, name, tmp_path, found=None):
    cfg = Config.fromfile(str(path))
    if found:
        use_threshold(cfg, found)
    cfg.test_dataloader.dataset.split = split
    cfg.work_dir = str(tmp_path / name)
    return run(cfg)[0]


def test_the_next_run_inherits_what_was_found(label_run, tmp_path):
    cfg, checkpoint = label_run(background_power=12)
    found = search_threshold(cfg, checkpoint, 'val')
    assert found['hook']['threshold_mode'] == 'dataset'
    assert found['hook']['threshold_split'] == 'val'
    assert set(found['stages']) == {'cams', 'crf'} and found['stages']['crf'] == found['threshold']
    path = tmp_path / 'label.py'

    again = on_split(path, 'val', 'again', tmp_path, found)
    for name in ('cam/image_iou', 'refine/cams', 'refine/crf'):
        assert again[name] == found['metrics'][name]
    assert again['pseudo/image_iou'] == pytest.approx(found['metrics']['cam/image_iou'], abs=0.01)
    other = on_split(path, 'train', 'other', tmp_path, found)
    assert other['cam/threshold'] == other['refine/crf_threshold'] == found['threshold']
    assert other['refine/cams_threshold'] == found['stages']['cams']
    protocol = json.loads((tmp_path / 'other/manifest.json').read_text())['protocol']
    assert protocol['threshold'] == found['threshold'] and protocol['background_power'] is None
    assert (protocol['threshold_mode'], protocol['threshold_split']) == ('dataset', 'val')


def label(cfg, folder, tested, threshold_split):
    """Label as a pipeline does after it has tested a classifier."""
    refined = len(cfg.custom_hooks) > 1
    step = labelling('label', cfg, Step('classify/test', 'test', dict), threshold_split, refined)
    found = dict(model=tested)

    def do(step, function, folder):
        arguments = step.arguments(found)
        folder.mkdir(parents=True)
        arguments['config'].dump(str(folder / 'config.py'))
        return function(folder, **{**arguments, 'config': str(folder / 'config.py')})

    if 'search' in step.inputs:
        found['search'] = do(step.inputs['search'], work.search, folder / 'threshold')
    return do(step, work.label, folder / 'label')


def test_no_other_threshold_is_better_and_the_oracle_is(label_run, tmp_path):
    cfg, checkpoint = label_run()
    found = search_threshold(cfg, checkpoint, 'val')
    best = found['metrics']['cam/image_iou']
    assert best <= found['metrics']['cam/image_iou_oracle']
    for threshold in (0.1, 0.3, 0.5, 0.8):
        fixed = cfg.copy()
        fixed.test_evaluator[0].threshold = threshold
        fixed.dump(str(tmp_path / 'fixed.py'))
        metrics = on_split(tmp_path / 'fixed.py', 'val', f'fixed-{threshold}', tmp_path)
        assert metrics['cam/image_iou'] <= best


def test_without_truth_a_threshold_comes_from_the_scores(label_run, tmp_path):
    cfg, checkpoint = label_run(masks=False)
    with pytest.raises(UserError, match="true mask in split 'val'; take --criterion otsu"):
        search_threshold(cfg, checkpoint, 'val')
    found = search_threshold(cfg, checkpoint, 'val', 'otsu')
    assert found['hook']['threshold_mode'] == 'otsu' and 0 <= found['threshold'] < 1
    on_split(tmp_path / 'label.py', 'train', 'otsu', tmp_path, found)
    protocol = json.loads((tmp_path / 'otsu/manifest.json').read_text())['protocol']
    assert protocol['threshold'] == found['threshold'] and protocol['threshold_mode'] == 'otsu'


def test_otsu_does_not_look_at_truth(label_run):
    cfg, checkpoint = label_run()
    cfg.work_dir += '-truth'
    known = search_threshold(cfg, checkpoint, 'val', 'otsu')
    cfg, checkpoint = label_run(masks=False)
    assert search_threshold(cfg, checkpoint, 'val', 'otsu')['threshold'] == known['threshold']


def test_an_ignored_band_moves_with_the_threshold(label_run, tmp_path):
    cfg, checkpoint = label_run(threshold=0.9, ignore_above=0.6)
    found = search_threshold(cfg, checkpoint, 'val')
    on_split(tmp_path / 'label.py', 'train', 'band', tmp_path, found)
    protocol = json.loads((tmp_path / 'band/manifest.json').read_text())['protocol']
    assert protocol['threshold'] == found['threshold']
    assert protocol['ignore_above'] == pytest.approx(found['threshold'] * 2 / 3, abs=1e-4)
    # in pipelines, too
    classifier = dict(
        checkpoint=dict(path=str(checkpoint), sha256=sha256_of_file(checkpoint)),
        protocol=dict(threshold=0.3, threshold_mode='dataset', threshold_split='val'),
    )
    cfg.custom_hooks = cfg.custom_hooks[-1:]
    protocol = label(cfg, tmp_path / 'pipeline', classifier, 'val')['protocol']
    assert (protocol['threshold'], protocol['ignore_above']) == (0.3, 0.2)


def test_the_label_run_takes_what_the_search_has_written(label_run, tmp_path, load_tool, run_main):
    cfg, checkpoint = label_run()
    out, work_dir = tmp_path / 'chosen.json', tmp_path / 'out'
    changed = ('--cfg-options', 'custom_hooks.0.preset=psa')
    search = (cfg.filename, checkpoint, '--out', out, *changed)
    code, text, _ = run_main(load_tool('search_threshold.py').main, *search)
    assert code == 0 and str(out) in text
    found = read_threshold(out)
    label = (cfg.filename, checkpoint, '--work-dir', work_dir, '--threshold', out, *changed)
    assert run_main(load_tool('make_pseudo_labels.py').main, *label)[0] == 0
    protocol = json.loads((work_dir / 'manifest.json').read_text())['protocol']
    assert protocol['threshold'] == found['threshold'] and protocol['threshold_split'] == 'val'
    (tmp_path / 'other.json').write_text('{"threshold": 0.3}')
    other = (*label[:-4], '--threshold', tmp_path / 'other.json')
    code, _, error = run_main(load_tool('make_pseudo_labels.py').main, *other)
    assert code == 2 and 'other.json is no result of tools/search_threshold.py' in error


def test_a_search_with_other_weights_needs_overwrite(label_run, tmp_path, load_tool, run_main):
    cfg, checkpoint = label_run()
    tool = load_tool('search_threshold.py')
    work = ('--work-dir', tmp_path / 'search')
    assert run_main(tool.main, cfg.filename, checkpoint, *work)[0] == 0
    weights = torch.load(checkpoint, weights_only=True)
    weights['state_dict'] = {k: v * 2 for k, v in weights['state_dict'].items()}
    torch.save(weights, checkpoint)
    code, _, error = run_main(tool.main, cfg.filename, checkpoint, *work)
    assert code == 2 and '--overwrite' in error
    assert run_main(tool.main, cfg.filename, checkpoint, *work, '--overwrite')[0] == 0


def test_a_pipeline_chooses_the_threshold_of_refined_scores_anew(label_run, tmp_path):
    cfg, checkpoint = label_run()
    found = search_threshold(cfg, checkpoint, 'val')
    classifier = dict(
        checkpoint=dict(path=str(checkpoint), sha256=sha256_of_file(checkpoint)),
        protocol=dict(threshold=0.77, threshold_mode='dataset', threshold_split='val'),
    )
    refined = label(cfg.copy(), tmp_path / 'refined', classifier, 'val')
    assert refined['protocol']['threshold'] == found['threshold'] != 0.77
    cfg.custom_hooks = cfg.custom_hooks[-1:]
    plain = label(cfg, tmp_path / 'plain', classifier, 'val')
    assert plain['protocol']['threshold'] == 0.77


TWO = ('smoke', 'steam')


def test_each_class_has_the_threshold_that_was_best_for_it(label_run, tmp_path):
    cfg, checkpoint = label_run(classes=TWO, threshold=0.9, ignore_above=0.6)
    found = search_threshold(cfg, checkpoint, 'val', 'per_class')
    threshold = found['threshold']
    assert threshold == {name: found['metrics'][f'per_class/{name}'] for name in TWO}
    band = found['hook']['ignore_above']
    assert band == {name: pytest.approx(one * 2 / 3, abs=1e-4) for name, one in threshold.items()}
    metrics = on_split(tmp_path / 'label.py', 'train', 'labels', tmp_path, found)
    assert [metrics[f'cam/threshold_{name}'] for name in TWO] == list(threshold.values())
    # stages keep one for all classes, so that their curves compare
    assert metrics['refine/crf_threshold'] == found['metrics']['cam/threshold']
    manifest = json.loads((tmp_path / 'labels/manifest.json').read_text())
    assert manifest['protocol']['threshold'] == threshold
    assert manifest['protocol']['threshold_mode'] == 'per_class'
    assert all(record['foreground'] + record['ignored'] <= 1 for record in manifest['images'])


def test_of_one_class_its_threshold_is_that_of_the_data_set(label_run, tmp_path):
    cfg, checkpoint = label_run()
    known = search_threshold(cfg, checkpoint, 'val')
    cfg.work_dir += '-again'
    found = search_threshold(cfg, checkpoint, 'val', 'per_class')
    assert found['metrics'].pop('per_class/smoke') == known['threshold']
    for key in ('threshold', 'hook', 'stages', 'metrics'):
        assert found[key] == known[key]


def test_a_class_that_no_mask_shows_is_named(label_run, tmp_path):
    cfg, checkpoint = label_run(classes=TWO)
    for path in (tmp_path / 'tiny/masks').glob('val_*.png'):
        mask = np.array(Image.open(path))
        save_palette(path, np.where(mask == 2, 0, mask))
    with pytest.raises(UserError, match="no true mask of split 'val' shows steam"):
        search_threshold(cfg, checkpoint, 'val', 'per_class')


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(threshold='per_class'), 'threshold must be in .*has to be searched first'),
        (dict(threshold=dict(smoke=0.3, steam=1.5)), 'threshold of steam must be in'),
        (dict(threshold=dict(smoke=0.3, steam=0.4), ignore_above=0.2), 'ignore_above must be in'),
        (
            dict(threshold=dict(smoke=0.3, steam=0.4), ignore_above=dict(smoke=0.1, steam=0.5)),
            'ignore_above must be in',
        ),
        (
            dict(threshold=dict(smoke=0.3)),
            'threshold must name each class: smoke, steam; got smoke',
        ),
    ],
)
def test_what_is_no_threshold_is_said(label_run, tmp_path, settings, message):
    label_run(classes=TWO, **settings)
    with pytest.raises(UserError, match=message):
        on_split(tmp_path / 'label.py', 'val', 'wrong', tmp_path)

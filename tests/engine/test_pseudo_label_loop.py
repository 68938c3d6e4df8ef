import json
import threading

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run
from mmengine.dataset import pseudo_collate
from PIL import Image

from mmsmoke.datasets.pictures import read_scores
from mmsmoke.engine import PseudoLabelHook
from mmsmoke.engine.hooks import pseudo_label_hook
from mmsmoke.engine.loops import pseudo_label_loop
from mmsmoke.engine.loops.pseudo_label_loop import one_thread
from mmsmoke.functional import cams_to_scores, scores_to_mask, threshold_of_power
from mmsmoke.utils import UserError


def test_one_palette_mask_an_image_and_a_manifest(tiny_dataset, tmp_path, checkpoint):
    root, out = tiny_dataset(splits=dict(train=7)), tmp_path / 'out'
    metrics, _ = run(label_config(root, out, checkpoint(), threshold=0.4))
    masks = masks_of(out)
    assert list(masks) == [f'train_{i}.png' for i in range(7)]
    manifest = json.loads((out / 'manifest.json').read_text())
    assert [record['image'] for record in manifest['images']] == [
        f'images/train_{i}.png' for i in range(7)
    ]
    assert manifest['protocol'] == dict(
        threshold=0.4,
        threshold_mode='fixed',
        threshold_split=None,
        background_power=None,
        ignore_above=None,
        normalize='minmax',
    )
    assert manifest['metrics']['pseudo/image_iou'] == metrics['pseudo/image_iou']
    assert len(manifest['settings']['checkpoint']) == len(manifest['settings']['labels']) == 64
    with Image.open(out / 'masks/train_0.png') as file:
        assert file.mode == 'P'
        assert file.getpalette()[3:6] == [255, 128, 0]
    for record in manifest['images']:
        mask = masks[record['mask'].removeprefix('masks/')]
        assert record['foreground'] == pytest.approx((mask > 0).mean(), abs=1e-6)


def test_masks_are_thresholded_cams_of_the_model(tiny_dataset, tmp_path, checkpoint):
    root, out = tiny_dataset(), tmp_path / 'out'
    _, runner = run(label_config(root, out, checkpoint(), threshold=0.4))
    dataset = runner.test_dataloader.dataset
    for item in dataset:
        with torch.no_grad():
            sample = runner.model.test_step(pseudo_collate([item]))[0]
        scores = cams_to_scores(sample.cams, (36, 48), sample.gt_score > 0.5)
        written = masks_of(out)[sample.mask_name]
        assert (written != scores_to_mask(scores, 0.4).numpy()).mean() < 0.001


def test_negatives_are_empty_and_absent_classes_never_appear(tiny_dataset, tmp_path, checkpoint):
    classes = ('smoke', 'fire')
    root, out = tiny_dataset(classes=classes, splits=dict(train=8)), tmp_path / 'out'
    run(label_config(root, out, checkpoint(2), classes, threshold=0.1))
    manifest = json.loads((out / 'manifest.json').read_text())
    masks = masks_of(out)
    for record in manifest['images']:
        found = set(np.unique(masks[record['mask'].removeprefix('masks/')])) - {0}
        allowed = {k + 1 for k, present in enumerate(record['label']) if present}
        assert found <= allowed
        if not allowed:
            assert not found
    assert any(masks[name].any() for name in masks)


@pytest.mark.parametrize(('loop', 'expected'), [({}, 'none'), (dict(normalize='minmax'), 'minmax')])
def test_maps_are_normalised_as_their_read_out_asks_unless_the_config_says_how(
    tiny_dataset, tmp_path, checkpoint, loop, expected
):
    root, out = tiny_dataset(), tmp_path / 'out'
    cfg = label_config(root, out, checkpoint(), threshold=0.4)
    cfg.model.cam = dict(type='mmsmoke.MultiScaleCAM', recipe='thesis', scales=(0.5, 1, 2))
    cfg.test_cfg.update(loop)
    _, runner = run(cfg)
    masks, differing = masks_of(out), 0
    for item in runner.test_dataloader.dataset:
        with torch.no_grad():
            sample = runner.model.test_step(pseudo_collate([item]))[0]
        assert sample.cam_normalize == 'none' and sample.cams.shape == (1, 36, 48)
        by_mode = {
            mode: scores_to_mask(cams_to_scores(sample.cams, (36, 48), sample.present(), mode), 0.4)
            for mode in ('none', 'minmax')
        }
        written = masks[sample.mask_name]
        assert (written != by_mode[expected].numpy()).mean() < 0.001
        differing += (by_mode['none'] != by_mode['minmax']).sum()
    assert differing > 20


def test_power_instead_of_a_threshold(tiny_dataset, tmp_path, checkpoint):
    root, threshold = tiny_dataset(), threshold_of_power(4)
    run(label_config(root, tmp_path / 'power', checkpoint(), background_power=4))
    run(label_config(root, tmp_path / 'constant', checkpoint(), threshold=threshold))
    power, constant = masks_of(tmp_path / 'power'), masks_of(tmp_path / 'constant')
    assert all((power[name] == constant[name]).all() for name in constant)
    protocol = json.loads((tmp_path / 'power/manifest.json').read_text())['protocol']
    assert protocol['background_power'] == 4 and protocol['threshold'] == threshold


@pytest.mark.parametrize('threshold', [dict(threshold=0.4), dict(threshold_mode='dataset')])
def test_threshold_beside_a_power_is_refused(threshold):
    with pytest.raises(UserError, match=r'give threshold or background_power, not both.* and 12'):
        PseudoLabelHook(background_power=12, **threshold)


def test_soft_scores_are_small_and_close(tiny_dataset, tmp_path, checkpoint):
    root, out = tiny_dataset(), tmp_path / 'out'
    _, runner = run(label_config(root, out, checkpoint(), threshold=0.4, score_stride=4))
    item = runner.test_dataloader.dataset[0]
    with torch.no_grad():
        sample = runner.model.test_step(pseudo_collate([item]))[0]
    scores = cams_to_scores(sample.cams, (36, 48))
    small = torch.nn.functional.avg_pool2d(scores, 4)
    stored = read_scores(out / 'scores' / sample.mask_name, num_classes=1)
    assert stored.shape == (1, 9, 12)
    assert np.abs(stored - small.numpy()).max() <= 0.5 / 255 + 1e-5


def test_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened(
    tiny_dataset, tmp_path, checkpoint, monkeypatch
):
    root = tiny_dataset(splits=dict(train=9))
    whole, _ = run(label_config(root, tmp_path / 'whole', checkpoint(), threshold=0.4))

    broken = label_config(root, tmp_path / 'broken', checkpoint(), threshold=0.4, batch_size=2)
    write, written = PseudoLabelHook.after_test_iter, []

    def fails_in_third_batch(hook, runner, batch_idx, data_batch=None, outputs=None):
        if batch_idx == 2:
            raise KeyboardInterrupt
        written.extend(sample.mask_name for sample in outputs)
        write(hook, runner, batch_idx, data_batch, outputs)

    monkeypatch.setattr(PseudoLabelHook, 'after_test_iter', fails_in_third_batch)
    with pytest.raises(KeyboardInterrupt):
        run(broken)
    assert len(written) == 4 and not (tmp_path / 'broken/manifest.json').exists()
    times = {name: (tmp_path / 'broken/masks' / name).stat().st_mtime_ns for name in written}

    monkeypatch.setattr(PseudoLabelHook, 'after_test_iter', write)
    resumed, _ = run(broken)
    assert resumed == whole
    assert times == {
        name: (tmp_path / 'broken/masks' / name).stat().st_mtime_ns for name in written
    }
    a, b = masks_of(tmp_path / 'whole'), masks_of(tmp_path / 'broken')
    assert a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)
    # a third run finds everything done, and still says the same
    again, _ = run(broken)
    assert again == whole


def test_changed_settings_are_refused_by_name(tiny_dataset, tmp_path, checkpoint):
    root, out = tiny_dataset(), tmp_path / 'out'
    run(label_config(root, out, checkpoint(), threshold=0.4))
    changed = label_config(root, out, checkpoint(), threshold=0.5)
    with pytest.raises(UserError, match=r'hooks\[0\]\.threshold: 0\.4 -> 0\.5.*--overwrite'):
        run(changed)
    changed.test_cfg.overwrite = True
    run(changed)
    assert json.loads((out / 'manifest.json').read_text())['protocol']['threshold'] == 0.5


def test_images_without_truth_are_labelled_without_metrics(tiny_dataset, tmp_path, checkpoint):
    root, out = tiny_dataset(masks=False), tmp_path / 'out'
    run(label_config(root, out, checkpoint(), threshold=0.4))
    assert len(masks_of(out)) == 6
    metrics = json.loads((out / 'manifest.json').read_text())['metrics']
    assert not [name for name in metrics if 'image_iou' in name]


@pytest.mark.parametrize(('value', 'what'), [(0, 'empty'), (1, 'foreground all over'), (0.5, None)])
def test_masks_that_are_all_empty_or_all_full_are_said(
    tiny_dataset, tmp_path, checkpoint, monkeypatch, value, what
):
    def label(scores, threshold, background):
        mask = torch.zeros(scores.shape[1:], dtype=torch.uint8)
        mask[: round(value * len(mask))] = int(scores.any())
        return mask

    monkeypatch.setattr(pseudo_label_hook, 'scores_to_mask', label)
    _, runner = run(label_config(tiny_dataset(), tmp_path / 'out', checkpoint(), threshold=0.4))
    log = (tmp_path / 'out' / runner.timestamp / f'{runner.timestamp}.log').read_text()
    expected = f'all masks of the 3 images with a class are {what} at the threshold 0.40: nothing'
    assert ('all masks of' in log) == bool(what)
    assert what is None or expected in log
    assert ('pseudo: not one pixel of 6 masks is foreground' in log) == (value == 0)


def test_unreadable_image_stops_the_run_by_name_and_keeps_what_was_done(
    tiny_dataset, tmp_path, checkpoint
):
    root, out = tiny_dataset(), tmp_path / 'out'
    picture = root / 'images/train_4.png'
    good = picture.read_bytes()
    picture.write_bytes(good[: len(good) // 2])
    cfg = label_config(root, out, checkpoint(), threshold=0.4, batch_size=1)
    with pytest.raises(UserError, match=r'train_4\.png \(labels\.csv row 6\)'):
        run(cfg)
    assert len(masks_of(out)) == 4
    picture.write_bytes(good)
    run(cfg)
    assert len(masks_of(out)) == 6


def test_hooks_work_on_the_gpu_of_their_process(monkeypatch):
    chosen = []

    def choose(gpu):
        chosen.append((gpu, threading.get_ident()))

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'current_device', lambda: 3)
    monkeypatch.setattr(torch.cuda, 'set_device', choose)
    with one_thread() as thread:
        working = thread.submit(threading.get_ident).result()
    assert chosen == [(3, working)] and working != threading.get_ident()


def test_hook_in_an_ordinary_test_loop_is_refused(tiny_dataset, tmp_path, checkpoint):
    cfg = label_config(tiny_dataset(), tmp_path / 'out', checkpoint())
    cfg.test_cfg = dict(type='TestLoop')
    with pytest.raises(UserError, match='PseudoLabelLoop'):
        run(cfg)


def test_pixels_that_other_masks_see_otherwise_become_ignored(tiny_dataset, tmp_path, checkpoint):
    root, weights = tiny_dataset(), checkpoint()
    for name, threshold in (('loose', 0.2), ('strict', 0.6)):
        run(label_config(root, tmp_path / name, weights, threshold=threshold))
    folder = str(tmp_path / 'loose/masks')
    run(label_config(root, tmp_path / 'out', weights, threshold=0.6, agree_with=folder))
    loose, strict, found = (masks_of(tmp_path / name) for name in ('loose', 'strict', 'out'))
    for name, mask in found.items():
        expected = np.where(loose[name] == strict[name], strict[name], 255)
        assert np.array_equal(mask, expected)
    assert any((mask == 255).any() for mask in found.values())
    manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
    assert manifest['protocol']['agreement']


def test_other_masks_that_are_missing_or_of_another_size_are_named(
    tiny_dataset, tmp_path, checkpoint
):
    root, weights = tiny_dataset(), checkpoint()
    cfg = label_config(root, tmp_path / 'out', weights, agree_with=str(tmp_path))
    with pytest.raises(UserError, match=r'train_\d.png, a mask to agree with, not found'):
        run(cfg)
    for index in range(20):
        Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / f'train_{index}.png')
    with pytest.raises(UserError, match=r'has \[2, 3\] pixels, its image \[36, 48\]'):
        run(cfg)


@pytest.mark.parametrize('hardware', [True, False])
def test_auto_is_mixed_precision_where_that_is_fast(
    tiny_dataset, tmp_path, checkpoint, monkeypatch, hardware
):
    monkeypatch.setattr(pseudo_label_loop, 'has_fast_bfloat16', lambda: hardware)
    root, weights = tiny_dataset(), checkpoint()
    cfg = label_config(root, tmp_path / 'auto', weights, threshold=0.4)
    cfg.test_cfg.fp16 = 'auto'
    _, runner = run(cfg)
    seen = []
    runner.model.backbone.register_forward_hook(lambda *args: seen.append(args[-1][0].dtype))
    runner.test_loop.predict(0, next(iter(runner.test_dataloader)))
    assert seen == [torch.bfloat16 if hardware else torch.float32]
    run(label_config(root, tmp_path / 'plain', weights, threshold=0.4))
    for name, mask in masks_of(tmp_path / 'auto').items():
        plain = masks_of(tmp_path / 'plain')[name]
        assert (mask != plain).mean() < (0.05 if hardware else 1e-9)
    manifest = json.loads((tmp_path / 'auto/manifest.json').read_text())
    assert ('fp16' in manifest['settings']['loop']) == hardware


def test_fp16_of_another_kind_is_refused(tiny_dataset, tmp_path, checkpoint):
    cfg = label_config(tiny_dataset(), tmp_path, checkpoint())
    cfg.test_cfg.fp16 = 'bfloat16'
    with pytest.raises(UserError, match="fp16 must be True, False or 'auto', got 'bfloat16'"):
        run(cfg)

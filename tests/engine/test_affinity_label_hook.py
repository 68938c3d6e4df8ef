import json

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run

from mmsmoke.engine import AffinityLabelHook, BoundaryLabelHook
from mmsmoke.functional import agreed_labels, confident_labels, scores_to_mask
from mmsmoke.functional.crf import dense_crf, label_probs
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

CRF = dict(backend='torch')
SIZE = 24, 32


def sample_of(scores, present):
    sample = WeakSegDataSample()
    sample.set_gt_score(torch.tensor(present, dtype=torch.float))
    sample.seg_scores = scores
    return sample


def scene(bright=20):
    """A dark image whose right part is bright, BGR [3, H, W], and scores that know most of it."""
    image = torch.full((3, *SIZE), 40, dtype=torch.uint8)
    image[:, :, bright:] = 220
    scores = torch.zeros(1, *SIZE)
    scores[:, 2:22, 21:31] = 0.9
    return image, scores


def labels_of(hook, *samples_and_images):
    images, samples = zip(*samples_and_images, strict=True)
    hook.after_test_iter(None, 0, dict(inputs=list(images)), list(samples))
    return [sample.pred_sem_seg.data[0] for sample in samples]


@pytest.mark.parametrize('hook', [AffinityLabelHook, BoundaryLabelHook])
def test_labels_follow_the_edge_and_leave_the_rest_open(hook):
    image, scores = scene()
    (labels,) = labels_of(hook(**CRF), (image, sample_of(scores, [1])))
    assert labels.dtype == torch.uint8 and labels.shape == SIZE
    assert set(labels.unique().tolist()) <= {0, 1, 255}
    assert (labels[10:14, 24:28] == 1).all()
    assert (labels[:, :12] == 0).all()


@pytest.mark.parametrize(
    'rules', [(2, 9), (dict(level=0.6, sharpness=10), dict(level=0.3, sharpness=10))]
)
def test_psa_s_labels_are_those_of_two_crfs(rules):
    torch.manual_seed(0)
    image, scores = torch.randint(0, 256, (3, *SIZE)).byte(), torch.rand(1, *SIZE) ** 3
    (labels,) = labels_of(AffinityLabelHook(*rules, **CRF), (image, sample_of(scores, [1])))
    rgb = image.flip(0).permute(1, 2, 0).contiguous()
    smoke = [
        1 / (1 + (-10 * (scores - rule['level'])).exp())
        if isinstance(rule, dict)
        else scores / (scores + (1 - scores) ** rule)
        for rule in rules
    ]
    low, high = (dense_crf(rgb, torch.cat([1 - s, s]), 'psa', 'torch') for s in smoke)
    expected = confident_labels(low, high)
    assert (labels == expected).all()
    assert {0, 1, 255} == set(labels.unique().tolist())


def test_irn_s_labels_are_those_of_two_thresholds():
    torch.manual_seed(0)
    image, scores = torch.randint(0, 256, (3, *SIZE)).byte(), torch.rand(1, *SIZE) ** 3
    (labels,) = labels_of(BoundaryLabelHook(0.4, 0.1, **CRF), (image, sample_of(scores, [1])))
    rgb = image.flip(0).permute(1, 2, 0).contiguous().numpy()
    strict, loose = (
        dense_crf(
            rgb, label_probs(scores_to_mask(scores, value).numpy(), 2, 0.7), 'irn', 'torch'
        ).argmax(0)
        for value in (0.4, 0.1)
    )
    assert (labels == agreed_labels(torch.from_numpy(strict), torch.from_numpy(loose))).all()
    assert {0, 1, 255} == set(labels.unique().tolist())


@pytest.mark.parametrize('hook', [AffinityLabelHook, BoundaryLabelHook])
def test_each_image_has_its_own_classes(hook):
    image, scores = scene()
    three = torch.cat([torch.zeros_like(scores), scores, scores.flip(1) * 0])
    of_two, absent, unseen = labels_of(
        hook(**CRF),
        (image, sample_of(three, [1, 1, 0])),
        (image, sample_of(torch.zeros_like(three), [0, 0, 0])),
        (image, sample_of(torch.zeros_like(three), [1, 0, 0])),
    )
    assert 2 in of_two and not {1, 3} & set(of_two.unique().tolist())
    assert not absent.any()
    assert (unseen == 255).all()


@pytest.mark.parametrize('half', [False, True])
def test_a_label_run_writes_them_as_masks(tiny_dataset, tmp_path, checkpoint, half):
    classes = ('smoke', 'fire')
    root = tiny_dataset(classes=classes, splits=dict(train=4))
    cfg = label_config(root, tmp_path / 'out', checkpoint(2), classes)
    # the loader's images are smaller than the files
    cfg.test_dataloader.dataset.pipeline.insert(1, dict(type='mmcv.Resize', scale=(32, 24)))
    hook = dict(type='mmsmoke.AffinityLabelHook', low=2, high=12, backend='torch', half=half)
    cfg.custom_hooks = [*cfg.custom_hooks, hook]  # the writer acts last in any case
    run(cfg)
    masks = masks_of(tmp_path / 'out')
    manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
    for record in manifest['images']:
        mask = masks[record['mask'].removeprefix('masks/')]
        assert mask.shape == (36, 48)
        allowed = {k + 1 for k, present in enumerate(record['label']) if present}
        assert set(np.unique(mask)) <= allowed | {0, 255}
        assert mask.any() == bool(allowed)
    assert any((mask == 255).any() for mask in masks.values())
    assert any(((mask > 0) & (mask < 255)).any() for mask in masks.values())


def test_it_needs_the_loop_of_label_runs():
    class Runner:
        test_loop = None

    for hook in (AffinityLabelHook(), BoundaryLabelHook()):
        with pytest.raises(UserError, match=f'{type(hook).__name__} needs test_cfg'):
            hook.before_test(Runner)


def test_mistaken_arguments_are_named():
    with pytest.raises(UserError, match=r"preset must be one of thesis, .*got 'best'"):
        AffinityLabelHook(preset='best')
    with pytest.raises(UserError, match='stronger background than high, got low=8 and high=4'):
        AffinityLabelHook(low=8, high=4)
    with pytest.raises(UserError, match=r'stronger background than high, got low=\{'):
        AffinityLabelHook(low=dict(level=0.4), high=dict(level=0.8))
    with pytest.raises(UserError, match='powers must be positive, got low=0 and high=4'):
        AffinityLabelHook(low=0, high=4)
    with pytest.raises(UserError, match='background must be at most foreground'):
        BoundaryLabelHook(foreground=0.1, background=0.2)

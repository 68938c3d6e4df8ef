import json
import sys

import numpy as np
import pytest
import torch
from label_runs import label_config, masks_of, run, scores_after, start
from mmengine.registry import MODELS
from PIL import Image

from mmsmoke.engine import SAMHook
from mmsmoke.functional.proposals import MaskProposals, sam_wsss_rule, thesis_rule
from mmsmoke.models.refiners import SAMProposals
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError


class BrightParts:
    """Proposes what is bright in an image, and remembers the images."""

    asked = []

    def __init__(self, level=120):
        self.settings = dict(level=level)
        self.level = level

    def __call__(self, image):
        assert image.dtype == np.uint8
        self.asked.append(image)
        # COLOURS of the fixture tell the classes apart, in RGB: white or red, blue
        red, blue = image[..., 0] > self.level, image[..., 2] > self.level
        return MaskProposals.from_masks([red, blue & ~red])


@pytest.fixture(autouse=True)
def proposer(monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'BrightParts', BrightParts)
    monkeypatch.setattr(BrightParts, 'asked', [])
    return BrightParts


@pytest.fixture
def label(tmp_path, checkpoint):
    """Runs a label run with the hook over a data set; returns its metrics and its masks."""

    def make(root, name='out', classes=('smoke',), dataset=None, metric=False, **options):
        hook = dict(proposals=dict(type='BrightParts'), cache_dir=str(tmp_path / 'cache'))
        cfg = label_config(root, tmp_path / name, checkpoint(len(classes)), classes)
        cfg.custom_hooks.insert(0, dict(type='mmsmoke.SAMHook', **{**hook, **options}))
        if metric:
            cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, _ = run(cfg)
        return metrics, masks_of(tmp_path / name)

    return make


def refined(hook, work_dir, scores, path) -> torch.Tensor:
    """What a hook makes of scores [K, H, W] of the image at this path."""
    start(hook, work_dir)
    sample = WeakSegDataSample(metainfo=dict(img_path=str(path)))
    sample.seg_scores = torch.as_tensor(scores, dtype=torch.float32)
    sample.set_gt_score(torch.ones(len(scores)))
    return scores_after(hook, [torch.zeros(3, 2, 2, dtype=torch.uint8)], [sample])[0]


@pytest.fixture
def refine_image(tmp_path):
    """What a new hook makes of one image with a bright spot and scores around it."""
    image = np.zeros((12, 10, 3), np.uint8)
    image[3:8, 2:7] = 200
    save(tmp_path / 'image.png', image)
    scores = np.zeros((1, 12, 10))
    scores[0, 4:9, 3:8] = 0.8

    def make(**options):
        hook = dict(proposals=dict(type='BrightParts'), cache_dir=str(tmp_path / 'cache'))
        return refined(SAMHook(**{**hook, **options}), tmp_path, scores, tmp_path / 'image.png')

    return make


def save(path, pixels) -> None:
    Image.fromarray(pixels).save(path)


@pytest.fixture
def refine(tmp_path):
    """The scores that the hook makes of scores [K, H, W] with these masks as proposals."""

    def make(scores, masks, **options):
        class Given:
            settings = dict(given=len(list(tmp_path.iterdir())))

            def __call__(self, image):
                assert image.shape == (*np.shape(scores)[1:], 3)
                return MaskProposals.from_masks(masks)

        path = tmp_path / 'image.png'
        save(path, np.zeros((*np.shape(scores)[1:], 3), np.uint8))
        hook = SAMHook(dict(type='BrightParts'), **options)
        hook.refiner.proposer = Given()
        return refined(hook, tmp_path / 'run', scores, path)

    return make


@pytest.mark.parametrize(
    'rule, options', [(thesis_rule, dict(min_iou=0.1)), (sam_wsss_rule, dict(max_area=0.9))]
)
def test_a_label_run_redraws_its_masks_by_the_rule(
    tiny_dataset, label, tmp_path, checkpoint, rule, options
):
    root = tiny_dataset()
    run(label_config(root, tmp_path / 'plain', checkpoint(), threshold=0.45))
    seeds = masks_of(tmp_path / 'plain')
    name = rule.__name__.removesuffix('_rule')
    metrics, masks = label(root, rule=name, threshold=0.45, metric=True, **options)
    changed = 0
    for name, seed in seeds.items():
        image = np.array(Image.open(root / 'images' / name))
        expected = rule(BrightParts()(image), seed[None] == 1, **options)[0] if seed.any() else 0
        assert (masks[name] == expected).all()
        changed += (masks[name] != seed).any()
    assert changed
    # nothing is left for a threshold to decide
    assert metrics['refine/sam'] == pytest.approx(metrics['pseudo/image_iou'])
    assert metrics['refine/sam'] == pytest.approx(metrics['refine/sam_oracle'])
    assert metrics['refine/sam'] != metrics['refine/cams']


def test_a_second_run_proposes_nothing(tiny_dataset, label, proposer):
    root = tiny_dataset(splits=dict(train=6))
    _, first = label(root, 'first')
    assert len(proposer.asked) == 3  # half of the images have no class
    _, again = label(root, 'again')
    assert len(proposer.asked) == 3
    assert all((first[name] == again[name]).all() for name in first)


def test_proposals_serve_all_rules_and_thresholds(refine_image, proposer):
    by_thesis = refine_image()
    assert (refine_image(rule='sam_wsss', max_area=0.1) != by_thesis).any()
    assert (refine_image(keep_seed=False) != by_thesis).any()
    assert (refine_image(threshold=0.9) != by_thesis).any()
    assert len(proposer.asked) == 1


def test_other_settings_and_other_images_are_proposed_anew(refine_image, proposer, tmp_path):
    first = refine_image()
    refine_image(proposals=dict(type='BrightParts', level=150))
    assert len(proposer.asked) == 2
    image = np.array(Image.open(tmp_path / 'image.png'))[::-1]
    save(tmp_path / 'image.png', image)
    assert (refine_image() != first).any()
    assert len(proposer.asked) == 3 and (proposer.asked[-1] == image).all()


def test_a_torn_file_is_made_again(refine_image, proposer, tmp_path):
    first = refine_image()
    (torn,) = (tmp_path / 'cache').rglob('*.json.gz')
    content = torn.read_bytes()
    torn.write_bytes(content[:-10])
    assert (refine_image() == first).all()
    assert len(proposer.asked) == 2 and torn.read_bytes() == content


def test_proposals_of_another_size_are_made_again(tmp_path, refine, monkeypatch):
    mask = np.ones((1, 3, 4), bool)
    monkeypatch.setattr(
        'mmsmoke.models.refiners.proposal_cache.ProposalCache.read',
        lambda cache, image: MaskProposals.from_masks(np.ones((1, 4, 3), bool)),
    )
    scores = np.zeros((1, 3, 4))
    scores[0, 0] = 1
    assert refine(scores, mask, max_area=1.0, min_iou=0.1).sum() == 12


def test_the_cache_lies_in_the_work_dir_by_default(tiny_dataset, label, tmp_path):
    root = tiny_dataset(splits=dict(train=6))
    label(root, 'first', cache_dir=None)
    assert len(list((tmp_path / 'first/sam_proposals').rglob('*.json.gz'))) == 3
    manifest = json.loads((tmp_path / 'first/manifest.json').read_text())
    assert manifest['settings']['hooks'][0]['type'] == 'mmsmoke.SAMHook'


def test_a_cached_run_needs_neither_package_nor_weights(refine_image, tmp_path, monkeypatch):
    weights = tmp_path / 'sam.pth'
    weights.write_bytes(b'weights')
    proposals = dict(type='mmsmoke.SAMProposals', checkpoint=str(weights))
    with monkeypatch.context() as patch:
        patch.setattr(SAMProposals, '__call__', BrightParts())
        first = refine_image(proposals=proposals)
    weights.unlink()
    monkeypatch.setitem(sys.modules, 'segment_anything', None)
    assert (refine_image(proposals=proposals) == first).all()
    with pytest.raises(UserError, match=r"pip install 'mmsmoke\[sam\]'"):
        refine_image(proposals=dict(proposals, points_per_side=9))
    monkeypatch.undo()
    with pytest.raises(UserError, match=r'sam\.pth not found; download https'):
        refine_image(proposals=dict(proposals, points_per_side=9))


def test_images_that_the_loader_shrank_are_proposed_at_full_size(
    tiny_dataset, tmp_path, checkpoint, proposer
):
    root = tiny_dataset(size=(49, 35))
    cfg = label_config(root, tmp_path / 'out', checkpoint())
    pipeline = cfg.test_dataloader.dataset.pipeline
    pipeline.insert(1, dict(type='mmcv.Resize', scale=(24, 16), keep_ratio=False))
    hook = dict(type='mmsmoke.SAMHook', proposals=dict(type='BrightParts'))
    cfg.custom_hooks.insert(0, hook)
    run(cfg)
    assert [image.shape for image in proposer.asked] == [(35, 49, 3)] * 3
    originals = [np.array(Image.open(path)) for path in (root / 'images').glob('train*')]
    for image in proposer.asked:
        assert any((image == original).all() for original in originals)


def test_classes_that_an_image_lacks_stay_absent(tiny_dataset, label):
    classes = ('smoke', 'fire')
    root = tiny_dataset(classes=classes, splits=dict(train=8), size=(64, 36))
    _, masks = label(root, classes=classes, threshold=0.2)
    values = [set(np.unique(masks[f'train_{i}.png'])) - {0} for i in range(8)]
    allowed = [{k + 1 for k in range(2) if (i + 1) >> k & 1} for i in range(8)]
    assert all(found <= few for found, few in zip(values, allowed, strict=True))
    assert {1} in values and {2} in values


def test_scores_become_zero_or_one(refine):
    rng = np.random.default_rng(0)
    scores = rng.random((1, 9, 7))
    masks = rng.random((4, 9, 7)) > 0.5
    found = refine(scores, masks)
    assert found.dtype == torch.float32 and set(found.unique().tolist()) == {0.0, 1.0}
    assert (found.bool().numpy() >= (scores > 0.3)).all()


def test_a_pixel_that_two_classes_claim_goes_to_the_higher_score(refine):
    scores = [[[0.9, 0.6, 0.2, 0.1, 0.0]], [[0.1, 0.2, 0.25, 0.8, 0.9]]]
    left, right = [[1, 1, 1, 0, 0]], [[0, 0, 1, 1, 1]]
    found = refine(scores, np.array([left, right], bool), max_area=1.0)
    assert found.tolist() == [[[1, 1, 0, 0, 0]], [[0, 0, 1, 1, 1]]]
    # a class that does not claim the pixel does not get it, however high its score
    found = refine(scores, np.array([left], bool), max_area=1.0)
    assert found.tolist() == [[[1, 1, 1, 0, 0]], [[0, 0, 0, 1, 1]]]


def test_a_pixel_seeds_its_best_class_alone(refine):
    scores = [[[0.9, 0.9, 0.9, 0.9, 0.0, 0.0]], [[0.5, 0.5, 0.5, 0.5, 0.6, 0.0]]]
    # half of it is the second class's seed; of all its scores above 0.3 it would be a sixth
    proposal = np.array([[[0, 0, 0, 0, 1, 1]]], bool)
    assert refine(scores, proposal).tolist() == [[[1, 1, 1, 1, 0, 0]], [[0, 0, 0, 0, 1, 1]]]


def test_without_a_seed_nothing_is_proposed(refine):
    def never(image):
        raise AssertionError

    assert not refine(np.full((2, 3, 4), 0.3), never).any()  # the threshold itself is below it


def test_options_reach_the_rule(refine):
    scores = [[[0.9, 0.9, 0.9, 0.2, 0.2, 0.0, 0.0]]]
    proposal = np.array([[[0, 0, 1, 1, 1, 0, 0]]], bool)  # IoU 1 / 5, a third of it is seed

    def found(**options):
        return refine(scores, proposal, **options)[0, 0].int().tolist()

    assert found() == [1, 1, 1, 0, 0, 0, 0]
    assert found(min_iou=0.1) == [1, 1, 1, 1, 1, 0, 0]
    assert found(min_iou=0.1, keep_seed=False) == [0, 0, 1, 1, 1, 0, 0]
    assert found(min_iou=0.1, max_area=0.4) == [1, 1, 1, 0, 0, 0, 0]
    assert found(min_iou=0.1, min_purity=0.4) == [1, 1, 1, 0, 0, 0, 0]
    assert found(threshold=0.1) == [1, 1, 1, 1, 1, 0, 0]
    assert found(rule='sam_wsss') == [1, 1, 0, 0, 0, 0, 0]
    assert found(rule='sam_wsss', max_area=0.4) == [1, 1, 1, 0, 0, 0, 0]


def test_one_pixel(refine):
    assert refine([[[0.9]]], np.ones((1, 1, 1), bool)).tolist() == [[[1.0]]]


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(rule='iou'), "rule must be one of thesis, sam_wsss, got 'iou'"),
        (
            dict(rule='sam_wsss', min_iou=0.4),
            "rule 'sam_wsss' has no option 'min_iou'; it has max_area, min_purity",
        ),
        (dict(min_uoi=0.4), "'thesis' has no option 'min_uoi'; it has min_iou, max_area, "),
        (dict(max_area=50), r'max_area must be in \[0, 1\], got 50'),
        (dict(threshold=1.0), r'threshold must be in \[0, 1\), got 1.0'),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        SAMHook(dict(type='BrightParts'), **options)

"""tools/test.py --refine against scores that are refined by hand."""

import cv2
import numpy as np
import pytest
import tiny_segmentor
import torch
from label_runs import label_config
from mmengine.registry import DefaultScope
from PIL import Image
from tiny_clip import config as clip_config

from mmsmoke.datasets.pictures import read_image
from mmsmoke.engine.launch import load_config
from mmsmoke.experiments.evaluate import evaluate_splits
from mmsmoke.functional import IGNORE, logits_to_scores, scores_to_mask, strongest
from mmsmoke.inference.predictor import load_model
from mmsmoke.models import build_refiner
from mmsmoke.utils import UserError, read_json

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')  # whatever scope a run leaves ends here

CLASSES = {2: ('smoke',), 3: ('smoke', 'fire')}
MODELS = [
    pytest.param(tiny_segmentor.segmentor(), id='softmax'),
    pytest.param(tiny_segmentor.segmentor(out_channels=1), id='sigmoid'),
    pytest.param(tiny_segmentor.segmentor(3), id='two classes'),
    pytest.param(tiny_segmentor.deeplab(2), id='DeepLabV2'),
]
# of scores, which only a refined segmentor has
SCORES = "dict(type='mmsmoke.PseudoLabelMetric', threshold=0.3, prefix='scores', present='all')"
TESTED = """
_base_ = './segmentor.py'
test_dataloader = dict(batch_size=3, sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = [
    dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='seg', bootstrap=0),
    dict(type='mmsmoke.KnownIoUMetric', iou_metrics=['mIoU']),
]
tta_model = dict(type='mmsmoke.MeanTTA')
tta_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(
        type='mmcv.TestTimeAug',
        transforms=[
            [dict(type='mmcv.Resize', scale_factor=f, keep_ratio=True) for f in (1.0, 0.5, 1.75)],
            [dict(type='mmcv.RandomFlip', prob=1.0), dict(type='mmcv.RandomFlip', prob=0.0)],
            [dict(type='mmsmoke.LoadMask')],
            [dict(type='mmsmoke.PackWeakSegInputs')],
        ],
    ),
]
"""


@pytest.fixture
def made(tiny_dataset, tmp_path):
    """Function that makes a data set, and config and checkpoint of a segmentor for it."""

    def make(model):
        classes = CLASSES[model['decode_head']['num_classes']]
        root = tiny_dataset(classes=classes, splits=dict(train=2, val=2, test=5))
        _, checkpoint = tiny_segmentor.on_disk(tmp_path / 'model', root, model, classes=classes)
        config = tmp_path / 'model/tested.py'
        config.write_text(TESTED)
        return root, config, checkpoint

    return make


@pytest.fixture
def run_test(load_tool, run_main, tmp_path):
    """Function that runs tools/test.py; returns exit code, result and what it said of errors."""

    def run(config, checkpoint, *more):
        out = tmp_path / 'result.json'
        arguments = (config, checkpoint, '--work-dir', tmp_path / 'test', '--out', out, *more)
        code, _, error = run_main(load_tool('test.py').main, *arguments)
        return code, read_json(out) if out.is_file() else None, error

    return run


@torch.no_grad()
def saved(config, checkpoint, root):
    """The scores of each test image as a segmentor gives them by itself, by file."""
    cfg = load_config(config)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = load_model(cfg, checkpoint)
        for path in sorted((root / 'images').glob('test_*')):
            inputs = torch.from_numpy(cv2.imread(str(path)).transpose(2, 0, 1).copy())
            found = model.test_step(dict(inputs=[inputs]))[0]
            yield path, logits_to_scores(found.seg_logits.data)


def overlap(masks, root, threshold=None):
    """Mean foreground IoU over classes and images that have them, in percent."""
    ious = {}
    for path, mask in masks:
        truth_file = root / 'masks' / path.name
        if not truth_file.is_file():
            continue
        truth = np.asarray(Image.open(truth_file))
        for value in set(np.unique(truth)) - {0, IGNORE}:
            both = (mask == value) & (truth == value)
            either = (mask == value) | (truth == value)
            ious.setdefault(value, []).append(100 * both.sum() / either.sum())
    return np.mean([np.mean(values) for values in ious.values()])


@pytest.mark.parametrize('model', MODELS)
def test_numbers_are_those_of_scores_refined_by_hand(model, made, run_test):
    root, config, checkpoint = made(model)
    config.write_text(f'{config.read_text()}test_evaluator.append({SCORES})\n')
    code, result, _ = run_test(config, checkpoint, '--refine', 'crf:deeplab', '--splits', 'test')
    assert code == 0
    one_logit = model['decode_head'].get('out_channels') == 1

    def mask_of(scores):
        return scores_to_mask(scores, 0.4) if one_logit else strongest(scores)

    refine, masks, loose, plain = build_refiner('crf:deeplab'), [], [], []
    for path, scores in saved(config, checkpoint, root):
        refined = refine(read_image(path), scores, torch.ones(len(scores)).bool())
        masks.append((path, mask_of(refined).numpy()))
        loose.append((path, scores_to_mask(refined, 0.3).numpy()))
        plain.append((path, mask_of(scores).numpy()))
    found = result['splits']['test']
    assert found['seg/image_iou'] == pytest.approx(overlap(masks, root), abs=0.1)
    assert found['scores/image_iou'] == pytest.approx(overlap(loose, root), abs=0.1)
    changed = [(one != other).mean() for (_, one), (_, other) in zip(masks, plain, strict=True)]
    assert found['mIoU'] > 0 and max(changed) > 0.01


def test_the_result_says_what_refined_with_which_settings(made, run_test):
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    _, result, _ = run_test(config, checkpoint, '--tta', '--refine', 'crf:deeplab', 'crf:psa')
    protocol = result['protocol']
    first, second = protocol['refine']
    assert (first['name'], second['name']) == ('crf:deeplab', 'crf:psa')
    spreads = dict(gaussian_xy=1, gaussian_weight=3, bilateral_xy=67, bilateral_rgb=3)
    settings = dict(**spreads, bilateral_weight=4, iterations=10, background=dict(remainder=True))
    assert first == {**first, **settings} and first['backend'] in ('pydensecrf', 'torch')
    assert second['bilateral_xy'] == 80 and protocol['tta']
    assert protocol['mask_threshold'] is None  # the strongest, as without refiners
    assert protocol['threshold'] is None
    _, result, _ = run_test(config, checkpoint)
    assert 'refine' not in result['protocol'] and result['protocol']['threshold'] is None


def test_views_of_whole_images_or_of_windows_are_merged_before_scores_are_refined(made):
    root, config, checkpoint = made(tiny_segmentor.deeplab(2))
    seen = {}

    def measured(mode, **refine):
        cfg = load_config(config, root.parent / 'work')
        cfg.model.test_cfg.update(mode=mode, crop_size=(24, 24), stride=(12, 12))
        return evaluate_splits(cfg, checkpoint, ['test'], tta=True, **refine)

    def noting(mode):
        def noted(image, scores, present):
            seen.setdefault(mode, []).append((image, scores))
            assert present.all()
            return scores

        return noted

    found = {mode: measured(mode, refine=[noting(mode)]) for mode in ('whole', 'slide')}
    pictures = [read_image(path) for path in sorted((root / 'images').glob('test_*'))]
    for noted in seen.values():
        for (image, scores), picture in zip(noted, pictures, strict=True):
            assert np.array_equal(image, picture) and scores.shape == (1, *picture.shape[:2])
    assert not torch.allclose(seen['whole'][0][1], seen['slide'][0][1], atol=1e-3)
    protocol = found['slide']['protocol']
    assert protocol['tta'] and protocol['refine'] == [dict(name='noted', type='noted')]
    same = measured('slide')  # as that refiner changes nothing
    assert found['slide']['splits']['test'] == pytest.approx(same['splits']['test'])


@pytest.mark.parametrize('classes', [2, 3])
def test_a_refiner_that_changes_nothing_changes_no_number(classes, made):
    model = tiny_segmentor.segmentor(classes)
    _, config, checkpoint = made(model)
    cfg, times = load_config(config), []

    class Counting:
        def __call__(self, image, scores, present):
            times.append(image.shape)
            return scores

    same = evaluate_splits(cfg, checkpoint, ['val', 'test'], refine=[Counting()])
    plain = evaluate_splits(cfg, checkpoint, ['val', 'test'])
    assert len(times) == 7
    for split, numbers in plain['splits'].items():
        assert same['splits'][split] == pytest.approx(numbers)


def test_the_threshold_of_maps_stays_that_of_the_protocol(made):
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    config.write_text(f'{config.read_text()}test_evaluator.append({SCORES})\n')
    found = evaluate_splits(load_config(config), checkpoint, ['test'], refine=['crf:deeplab'])
    assert (found['protocol']['threshold'], found['protocol']['threshold_mode']) == (0.3, 'fixed')


def test_labels_are_not_looked_at(made):
    """No class is taken away for being absent, as a label run does."""
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    cfg, seen = load_config(config), []
    evaluate_splits(cfg, checkpoint, ['test'], refine=[lambda i, s, p: seen.append(s.max()) or s])
    assert len(seen) == 5 and min(seen) > 0.5  # two of them are clear


@pytest.mark.parametrize('name', ['crv', 'crf:best', 'fusion', 'clip', 'affinity:x'])
def test_a_refiner_that_there_is_not_is_named(name, made, run_test):
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    code, _, error = run_test(config, checkpoint, '--refine', name)
    asked = "deeplab, translucent, got 'best'" if name == 'crf:best' else f"'{name}' names no"
    assert code == 2 and asked in error


def test_a_missing_affinity_net_is_named(made, run_test):
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    name = 'affinity:affinity/psa_resnet18-s_6e_smokestack-128.py:lost.pth'
    code, _, error = run_test(config, checkpoint, '--refine', name)
    assert code == 2 and 'lost.pth of the AffinityNet not found' in error


def test_a_refiner_that_needs_labels_is_refused(made):
    _, config, checkpoint = made(tiny_segmentor.segmentor())
    clip = dict(type='mmsmoke.CLIPRefiner', clip=clip_config('clip.pt'))
    with pytest.raises(UserError, match=r'CLIPRefiner .* knows no labels; tools/make_ps'):
        evaluate_splits(load_config(config), checkpoint, ['test'], refine=[clip])


def test_a_classifier_is_sent_to_where_its_scores_are_refined(tiny_dataset, tmp_path, checkpoint):
    cfg = label_config(tiny_dataset(), tmp_path / 'test', checkpoint())
    cfg.test_cfg, cfg.custom_hooks, cfg.launcher = {}, [], 'none'
    with pytest.raises(UserError, match=r'scores of segmentors; those of a .*make_pseudo'):
        evaluate_splits(cfg, cfg.load_from, ['test'], refine=['crf'])

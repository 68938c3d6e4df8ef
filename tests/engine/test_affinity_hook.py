import numpy as np
import pytest
import torch
import torch.nn.functional as F
from label_runs import label_config, masks_of, run, scores_after, start

from mmsmoke.engine import AffinityHook
from mmsmoke.functional import random_walk, resize_maps, scores_to_mask
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

NET = dict(
    type='mmsmoke.AffinityNet',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', mean=[128] * 3, std=[64] * 3, bgr_to_rgb=True,
        size_divisor=1,
    ),
    backbone=dict(
        type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4, num_stages=2,
        strides=(1, 2), dilations=(1, 1), out_indices=(0, 1),
    ),
    head=dict(type='mmsmoke.FeatureAffinityHead', in_channels=(4, 8), widths=(4, 8), radius=3),
)  # fmt: skip
BOUNDARY = dict(
    NET,
    flip=True,
    head=dict(type='mmsmoke.BoundaryAffinityHead', in_channels=(4, 8), radius=4, walk_radius=3),
)


@pytest.fixture
def trained(tmp_path, mmpretrain_scope):
    """Saves a network with random weights."""

    def make(model=NET, name='affinity.pth'):
        torch.manual_seed(0)
        net = MODELS.build(model)
        net.init_weights()
        torch.save(dict(state_dict=net.state_dict(), meta={}), tmp_path / name)
        return str(tmp_path / name)

    return make


def ready(model, checkpoint, **arguments):
    hook = AffinityHook(model, checkpoint, **arguments)
    start(hook)
    return hook


def batch(*sizes, classes=1, file_size=(36, 48)):
    torch.manual_seed(0)
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in sizes]
    samples = []
    for _ in sizes:
        sample = WeakSegDataSample()
        sample.set_gt_score(torch.ones(classes))
        coarse = torch.rand(1, classes, 5, 6) ** (3 + classes)
        sample.seg_scores = resize_maps(coarse, file_size)[0]
        samples.append(sample)
    return images, samples


def by_hand(hook, image, scores):
    """Scores with the background's before them, after the walk, at full size."""
    maps = torch.cat([(1 - scores.amax(0, keepdim=True)) ** 16, scores])
    with torch.no_grad():
        affinity = hook.refiner.net.test_step(dict(inputs=[image]))['affinity']
    small = F.adaptive_avg_pool2d(maps[None], affinity.shape[2:])
    walked = random_walk(small, affinity, radius=3, **hook.refiner.walk)
    return resize_maps(walked, scores.shape[1:])[0]


@pytest.mark.parametrize('classes', [1, 3])
def test_above_a_half_is_what_psa_s_argmax_takes(trained, classes):
    hook = ready(NET, trained(), beta=2, log_t=2)
    images, samples = batch((40, 56), (40, 56), classes=classes)
    taken = set()
    together = scores_after(hook, images, samples)
    for image, sample, refined in zip(images, samples, together, strict=True):
        assert refined.shape == sample.seg_scores.shape and refined.dtype == torch.float32
        assert refined.min() >= 0 and refined.max() <= 1
        walked = by_hand(hook, image, sample.seg_scores)
        expected = walked.argmax(0)
        assert (scores_to_mask(refined, 0.5) != expected).float().mean() < 0.002
        taken.update(expected.unique().tolist())
    assert len(taken) == classes + 1


def test_images_of_differing_sizes_keep_their_order(trained):
    hook = ready(NET, trained(), log_t=1)
    images, samples = batch((40, 56), (33, 47), (40, 56), (1, 1))
    together = scores_after(hook, images, samples)
    for image, sample, refined in zip(images, samples, together, strict=True):
        torch.testing.assert_close(scores_after(hook, [image], [sample])[0], refined)
    assert not torch.allclose(together[0], together[2])


def test_an_image_and_scores_of_one_pixel(trained):
    images, samples = batch((1, 1), file_size=(1, 1))
    score = samples[0].seg_scores
    (refined,) = scores_after(ready(NET, trained()), images, samples)
    torch.testing.assert_close(refined, score / (score + (1 - score) ** 16))


def test_without_background_scores_are_divided_by_the_largest(trained):
    hook = ready(BOUNDARY, trained(BOUNDARY), beta=10, power=None)
    images, samples = batch((40, 56), classes=2)
    (refined,) = scores_after(hook, images, samples)
    assert refined.max() == 1 and refined.min() >= 0
    with torch.no_grad():
        seen = hook.refiner.net.test_step(dict(inputs=images))
    assert seen['interior'].max() < 1
    scores = F.adaptive_avg_pool2d(samples[0].seg_scores[None], seen['affinity'].shape[2:])
    walked = random_walk(scores * seen['interior'], seen['affinity'], 3, 10, 8)
    walked = resize_maps(walked, (36, 48))[0]
    torch.testing.assert_close(refined, walked / walked.max())


def test_of_two_certain_classes_the_stronger_one_stays_so(trained):
    images, samples = batch((40, 56), classes=2)
    samples[0].seg_scores[0], samples[0].seg_scores[1] = 0.98, 0.99
    (refined,) = scores_after(ready(NET, trained()), images, samples)
    assert (refined[1] == 1).all() and (refined[0] < 0.991).all()


@pytest.mark.parametrize('power', [16, None])
def test_nothing_but_boundary_leaves_no_score(trained, power):
    weights = trained(BOUNDARY)
    content = torch.load(weights)
    content['state_dict']['head.boundary.bias'] += 200
    torch.save(content, weights)
    (refined,) = scores_after(ready(BOUNDARY, weights, power=power), *batch((40, 56)))
    assert (refined == 0).all()


def test_a_class_without_score_stays_without_one(trained):
    images, samples = batch((40, 56), classes=2)
    samples[0].seg_scores[1] = 0
    samples[0].seg_scores[0] = 1  # and no background at all
    (refined,) = scores_after(ready(NET, trained()), images, samples)
    assert (refined[0] == 1).all() and (refined[1] == 0).all()


def test_a_seed_comes_to_fill_its_region_up_to_the_edge(tmp_path, mmpretrain_scope):
    torch.manual_seed(1)
    image, truth = torch.randint(0, 60, (3, 48, 64)), torch.zeros(1, 48, 64, dtype=torch.long)
    image[:, 8:40, 36:] += 180
    truth[:, 8:40, 36:] = 1
    image = image.byte()
    torch.manual_seed(0)
    net = MODELS.build(NET)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    inputs = net.data_preprocessor(dict(inputs=[image]))['inputs']
    for _ in range(40):
        loss = sum(net.head.loss(net(inputs), truth[None]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(dict(state_dict=net.state_dict()), tmp_path / 'net.pth')
    hook = ready(NET, str(tmp_path / 'net.pth'))

    sample = WeakSegDataSample()
    sample.seg_scores = torch.zeros(1, 48, 64)
    sample.set_gt_score(torch.ones(1))
    sample.seg_scores[:, 12:38, 30:60] = 0.9  # misses some of it, and spills over the edge
    (refined,) = scores_after(hook, [image], [sample])

    def iou(scores):
        found, wanted = scores[0] > 0.5, truth[0] > 0
        return ((found & wanted).sum() / (found | wanted).sum()).item()

    assert iou(sample.seg_scores) < 0.6
    assert iou(refined) > 0.8


def test_a_label_run_walks_and_measures(tiny_dataset, tmp_path, checkpoint, trained):
    classes = ('smoke', 'fire')
    root = tiny_dataset(classes=classes, splits=dict(train=8))
    weights = trained()

    def masks(name, **hook):
        cfg = label_config(root, tmp_path / name, checkpoint(2), classes, threshold=0.5)
        hook = dict(type='mmsmoke.AffinityHook', model=NET, checkpoint=weights, **hook)
        cfg.custom_hooks = [hook, *cfg.custom_hooks]
        cfg.test_evaluator.append(dict(type='mmsmoke.RefinementMetric'))
        metrics, _ = run(cfg)
        return metrics, masks_of(tmp_path / name)

    metrics, walked = masks('walked', log_t=6)
    assert 'refine/affinity_oracle' in metrics and 'refine/cams_oracle' in metrics
    _, standing = masks('standing', log_t=0, beta=1e6, stage='other')
    assert any((walked[name] != standing[name]).any() for name in walked)
    for i, mask in enumerate(walked.values()):
        allowed = {k + 1 for k in range(2) if (i + 1) >> k & 1}
        assert set(np.unique(mask)) <= allowed | {0}


def test_a_run_does_not_go_on_with_other_weights(tiny_dataset, tmp_path, checkpoint, trained):
    weights = trained()
    cfg = label_config(tiny_dataset(splits=dict(train=2)), tmp_path / 'out', checkpoint())
    hook = dict(type='mmsmoke.AffinityHook', model=NET, checkpoint=weights, log_t=0)
    cfg.custom_hooks = [hook, *cfg.custom_hooks]
    run(cfg)
    run(cfg)
    content = torch.load(weights)
    content['state_dict']['head.mix.weight'] += 1
    torch.save(content, weights)
    with pytest.raises(UserError, match=r'pseudo labels of another setting.*affinity\.pth'):
        run(cfg)


def test_a_missing_checkpoint_names_the_command_that_makes_it(tmp_path):
    missing = str(tmp_path / 'none.pth')
    config = tmp_path / 'psa.py'
    config.write_text('')
    command = f'none.pth of the AffinityNet not found; python tools/train.py {config} trains one'
    with pytest.raises(UserError, match=command):
        start(AffinityHook(dict(config=str(config)), missing))
    with pytest.raises(UserError, match=r'tools/train.py configs/affinity/psa.py trains'):
        start(AffinityHook('affinity/psa.py', missing))
    with pytest.raises(UserError, match=r'tools/train.py CONFIG \(one of configs/affinity/\)'):
        start(AffinityHook(NET, missing))


def test_weights_of_another_network_are_refused(trained):
    with pytest.raises(UserError, match=r'affinity.pth does not fit the AffinityNet of CONFIG'):
        ready(BOUNDARY, trained(NET))


@pytest.mark.parametrize('wrong', [dict(beta=0), dict(log_t=-1), dict(power=0)])
def test_mistaken_arguments_are_named(wrong):
    with pytest.raises(UserError, match='beta and power must be positive'):
        AffinityHook(NET, 'x.pth', **wrong)


@pytest.mark.parametrize('power', [16, None])
def test_classes_walk_alike_and_an_absent_one_changes_nothing(trained, power):
    hook = ready(NET, trained(), power=power)
    images, samples = batch((36, 48), classes=2)
    (walked,) = scores_after(hook, images, samples)
    assert walked.shape == (2, 36, 48) and all(one.any() for one in walked)
    scores = samples[0].seg_scores
    samples[0].seg_scores = scores.flip(0)
    torch.testing.assert_close(scores_after(hook, images, samples)[0], walked.flip(0))
    one = batch((36, 48))[1]
    one[0].seg_scores = scores[:1]
    (alone,) = scores_after(hook, images, one)
    samples[0].seg_scores = scores * torch.tensor([1, 0])[:, None, None]
    samples[0].set_gt_score(torch.tensor([1.0, 0.0]))
    (absent,) = scores_after(hook, images, samples)
    torch.testing.assert_close(absent[:1], alone)
    assert not absent[1].any()

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner.checkpoint import load_checkpoint
from torch import nn

from mmsmoke.engine.launch import load_config
from mmsmoke.functional import (
    cams_to_scores,
    correlated_maps,
    cross_equivariance_loss,
    min_pooling_loss,
    resize_maps,
)
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

STUDENT = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[127.0] * 3, std=[64.0] * 3, to_rgb=True),
    backbone=dict(
        type='mmsmoke.ResNetPCM', mode='seam', depth=18, stem_channels=8, base_channels=8,
        strides=(1, 2), dilations=(1, 1), widths=(4, 8, 12),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=16),
    cam=dict(type='mmsmoke.CorrelatedCAM'),
)  # fmt: skip
OPTIMIZER = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=3e-2))
MODULE = ('reduce_early', 'reduce_late', 'mix')
LOSSES = {'loss_cls', 'loss_er', 'loss_ecr', 'loss_min'}


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def student(classes=1, **changes):
    changed = {**copy.deepcopy(STUDENT), **changes}
    changed['head']['num_classes'] = classes
    return changed


def build(classes=1, ratio=0.5, **settings):
    settings.setdefault('student', student(classes))
    model = MODELS.build(dict(type='mmsmoke.SEAM', ratio=ratio, **settings))
    model.init_weights()
    return model.train()


def batch(count=4, classes=1, size=48, labels=None):
    """Noise, brighter in a corner for each class that the image has."""
    images = torch.randint(0, 120, (count, 3, size, size))
    if labels is None:
        labels = [[float(i >> k & 1) for k in range(classes)] for i in range(count)]
    for image, present in zip(images, labels, strict=True):
        for k, one in enumerate(present):
            image[k, :20, k * 24 : k * 24 + 20] += 120 * int(one > 0.5)
    samples = [WeakSegDataSample().set_gt_score(torch.tensor(one)) for one in labels]
    return dict(inputs=list(images.byte()), data_samples=samples)


def losses_of(model, data):
    return model(**model.data_preprocessor(copy.deepcopy(data), training=True), mode='loss')


def step(model, data, wrapper=None):
    wrapper = wrapper or build_optim_wrapper(model, copy.deepcopy(OPTIMIZER))
    return model.train_step(copy.deepcopy(data), wrapper)


def test_losses_are_those_of_both_views():
    model, data = build(2), batch(classes=2)
    losses = losses_of(model, data)
    assert losses.keys() == LOSSES
    inputs = model.data_preprocessor(data, training=True)['inputs']
    net, present = model.student, torch.stack([s.gt_score for s in data['data_samples']]) > 0.5
    feats = [net.extract_feat(view) for view in (inputs, resize_maps(inputs, (24, 24)))]
    assert [one[-1].shape[2:] for one in feats] == [(6, 6), (3, 3)]
    maps = [net.head.class_maps(one) for one in feats]
    correlated = [correlated_maps(one, f[0]) for one, f in zip(maps, feats, strict=True)]
    logits = torch.stack([one.mean((2, 3)) for one in maps])
    cls = nn.functional.binary_cross_entropy_with_logits(logits, present.float().expand(2, -1, -1))
    torch.testing.assert_close(losses['loss_cls'], 2 * cls)  # heads of mmpretrain add classes up
    lowest = [min_pooling_loss(one[:, 1:], present) for one in correlated]
    torch.testing.assert_close(losses['loss_min'], sum(lowest) / 2)
    first, second, own, other = (resize_maps(one, (24, 24)) for one in (*maps, *correlated))
    ecr = cross_equivariance_loss(own, second, present)
    ecr = ecr + cross_equivariance_loss(other, first, present)
    torch.testing.assert_close(losses['loss_ecr'], ecr)
    shown = [
        torch.stack([cams_to_scores(one, (24, 24), normalize='seam') for one in view])
        * present[:, :, None, None]
        for view in (first, second)
    ]
    torch.testing.assert_close(losses['loss_er'], (shown[0] - shown[1]).abs().mean())


def test_weights_scale_their_losses():
    data = batch()
    once, more = build(), build(er_weight=3, ecr_weight=0.5)
    more.load_state_dict(once.state_dict())
    first, second = losses_of(once, data), losses_of(more, data)
    for name, weight in dict(loss_er=3, loss_ecr=0.5, loss_min=1, loss_cls=1).items():
        torch.testing.assert_close(second[name], weight * first[name])


class Pointwise(nn.Module):
    """A backbone that sees each pixel alone, and so commutes with resizing."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 1)

    def forward(self, x, *_):
        places = x.shape[2] * x.shape[3]
        return torch.eye(places).expand(len(x), -1, -1), self.conv(x)


@pytest.mark.parametrize('ratio', [0.3, 0.5])
def test_an_equivariant_network_has_no_equivariance_loss(ratio):
    model, data = build(2, ratio), batch(classes=2)
    assert losses_of(model, data)['loss_er'] > 0.01
    model.student.backbone = Pointwise()
    assert losses_of(model, data)['loss_er'] < 1e-4


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {
        name.removeprefix('student.'): one.grad is not None and bool(one.grad.any())
        for name, one in model.named_parameters()
    }


@pytest.mark.parametrize('name', ['loss_ecr', 'loss_min'])
def test_through_the_module_only_the_module_learns(name):
    model = build(2)
    moved = gradients(model, losses_of(model, batch(classes=2))[name])
    module = {key for key, one in moved.items() if one}
    assert module == {f'backbone.{layer}.conv.weight' for layer in MODULE}


@pytest.mark.parametrize('name', ['loss_er', 'loss_cls'])
def test_the_trunk_learns_from_labels_and_from_both_views(name):
    model = build(2)
    moved = gradients(model, losses_of(model, batch(classes=2))[name])
    assert moved['backbone.conv1.weight'] and moved['head.classifier.weight']
    assert not any(moved[f'backbone.{layer}.conv.weight'] for layer in MODULE)


@pytest.mark.parametrize('classes', [1, 2])
def test_all_weights_move_and_labels_are_learned(classes):
    model, data = build(classes), batch(8, classes)
    before = copy.deepcopy(model.state_dict())
    wrapper = build_optim_wrapper(model, copy.deepcopy(OPTIMIZER))
    first = step(model, data, wrapper)
    weights = dict(model.named_parameters())
    assert all(not torch.equal(one, before[name]) for name, one in weights.items() if one.dim() > 1)
    for _ in range(40):
        last = step(model, data, wrapper)
    assert last['loss_cls'] < 0.5 * first['loss_cls'] and last['loss'] < first['loss']


@pytest.mark.parametrize('classes', [1, 2])
@pytest.mark.parametrize('value', [0.0, torch.nan])
def test_a_batch_without_any_class_or_label_is_finite_and_moves_or_not(classes, value):
    model, data = build(classes), batch(labels=[[value] * classes] * 4)
    losses = losses_of(model, data)
    assert all(loss.isfinite() for loss in losses.values())
    assert losses['loss_er'] == losses['loss_ecr'] == losses['loss_min'] == 0
    sum(losses.values()).backward()
    for name, one in model.named_parameters():  # several GPUs wait for all of them
        assert one.grad is not None and one.grad.isfinite().all(), name
    unlabelled = value != value
    assert (losses['loss_cls'] == 0) == unlabelled
    assert any(one.grad.any() for one in model.parameters()) != unlabelled


def test_unlabelled_images_are_left_out():
    model = build(2).eval()  # batch norms of the rest see the same
    data = batch(4, 2)
    for sample in data['data_samples'][2:]:
        sample.set_gt_score(torch.full((2,), torch.nan))
    fewer = {key: value[:2] for key, value in data.items()}
    torch.testing.assert_close(losses_of(model, data), losses_of(model, fewer))


def test_batch_norms_keep_the_statistics_of_whole_images():
    model, data = build(), batch()
    alone = copy.deepcopy(model.student)
    losses_of(model, data)
    alone.train()(**alone.data_preprocessor(copy.deepcopy(data), training=True), mode='loss')
    for name, one in alone.named_buffers():
        if name.endswith(('running_mean', 'running_var')):
            assert torch.equal(model.student.get_buffer(name), one), name


def test_further_losses_see_whole_images():
    aux = [dict(type='mmsmoke.FalsePositiveLoss')]
    model = build(student=student(aux=aux))
    model.student.aux[0].counts.fill_(1)
    assert losses_of(model, batch()).keys() == LOSSES | {'loss_fpr_region', 'loss_fpr_pixel'}


# read-outs and predictions


def predictions(model, data):
    return model.eval().test_step(copy.deepcopy(data))


def test_predictions_are_those_of_the_classifier_alone(tmp_path, load_tool, run_main):
    model, alone, data = build(2), MODELS.build(student(2)), batch(classes=2)
    step(model, data)
    with torch.no_grad():
        model.student.head.classifier.weight.abs_()  # that there is something to see
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'seam.pth')
    tool = load_tool('model_converters/publish_student.py')
    assert run_main(tool.main, tmp_path / 'seam.pth', tmp_path / 'alone.pth')[0] == 0
    load_checkpoint(alone, str(tmp_path / 'alone.pth'), strict=True)
    for ours, theirs in zip(predictions(model, data), predictions(alone, data), strict=True):
        assert torch.equal(ours.cams, theirs.cams) and ours.cams.any()
        assert torch.equal(ours.pred_scores, theirs.pred_scores)
        assert ours.cam_normalize == theirs.cam_normalize == model.cam_normalize == 'seam'


def test_maps_are_read_after_the_module_or_before_it():
    model, inputs = build(2).eval(), torch.randn(2, 3, 48, 32)
    feats = model.student.extract_feat(inputs)
    plain = model.student.head.class_maps(feats)
    found = torch.stack([sample.cams for sample in model.predict(inputs)])
    shared = correlated_maps(plain, feats[0])[:, 1:]
    torch.testing.assert_close(found, plain.relu().amax((2, 3), keepdim=True) * shared)
    model.read_out_by(dict(type='mmsmoke.LinearCAM'))
    found = torch.stack([sample.cams for sample in model.predict(inputs)])
    assert torch.equal(found, plain.relu()) and model.cam_normalize == 'minmax'


def test_maps_after_the_module_are_evidence():
    model, inputs = build(2).eval(), torch.randn(1, 3, 48, 48)
    (weak,) = model.predict(inputs)
    with torch.no_grad():
        model.student.head.classifier.weight *= 3
    (strong,) = model.predict(inputs)
    torch.testing.assert_close(strong.cams, 3 * weak.cams)


@pytest.mark.parametrize('views', [dict(recipe='seam'), dict(recipe='irn')])
def test_maps_of_several_views(views):
    model = build(student=student(views=views))
    (sample,) = model.eval().predict(torch.randn(1, 3, 48, 48))
    assert sample.cams.shape == (1, 48, 48) and sample.cams.isfinite().all()


def test_modes_are_those_of_a_classifier():
    model, data = build().eval(), batch()
    inputs = model.data_preprocessor(data)['inputs']
    logits = model(inputs, mode='tensor')
    assert torch.equal(logits, model.student(inputs, mode='tensor'))
    assert len(model(inputs, mode='predict')) == 4


def test_a_training_goes_on_from_a_checkpoint(tmp_path):
    data, models = batch(), [build(), build()]
    wrappers = [build_optim_wrapper(model, copy.deepcopy(OPTIMIZER)) for model in models]
    step(models[0], data, wrappers[0])
    state = dict(model=models[0].state_dict(), optimizer=wrappers[0].state_dict())
    torch.save(state, tmp_path / 'a.pth')
    state = torch.load(tmp_path / 'a.pth')
    models[1].load_state_dict(state['model'])
    wrappers[1].load_state_dict(state['optimizer'])
    for model, wrapper in zip(models, wrappers, strict=True):
        step(model, data, wrapper)
    first, second = (model.state_dict() for model in models)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


# what is wrong


PLAIN = {key: value for key, value in STUDENT['backbone'].items() if key not in ('mode', 'widths')}


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(ratio=1.0), r'ratio must be between 0 and 1, got 1\.0'),
        (dict(ratio=0), 'ratio must be between 0 and 1, got 0'),
        (
            dict(
                student=student(backbone=dict(PLAIN, type='ResNet', num_stages=2, out_indices=[1]))
            ),
            'SEAM needs a backbone with a pixel correlation module, .*, not ResNet',
        ),
        (
            dict(student=student(backbone=dict(STUDENT['backbone'], mode='thesis'))),
            "SEAM needs the mode 'seam' of ResNetPCM, not 'thesis'",
        ),
        (
            dict(student=student(head=dict(STUDENT['head'], type='mmsmoke.PCMHead'))),
            r'head mmsmoke\.CAMHead instead of mmsmoke\.PCMHead',
        ),
        (dict(student=dict(config='no/such.py')), 'config no/such.py not found'),
    ],
)
def test_wrong_arrangements_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        build(**settings)


def test_a_second_view_that_is_too_small_is_named():
    model = build(ratio=0.1)
    message = '48x48 has 5x5 pixels and a map of 1x1, which is too small: take a ratio above 0.1'
    with pytest.raises(UserError, match=message):
        losses_of(model, batch())


def test_a_read_out_after_a_module_that_is_not_there_is_named():
    backbone = dict(PLAIN, type='ResNet', num_stages=2, out_indices=[1])
    model = MODELS.build(student(backbone=backbone)).eval()
    with pytest.raises(UserError, match='CorrelatedCAM needs a backbone with a pixel correlation'):
        model.predict(torch.randn(1, 3, 48, 48))


# configs


@pytest.mark.parametrize(
    'name, size',
    [
        ('seam_lite0_3e_smokestack-126', 126),
        ('seam_lite0_3e_weakseg-168', 168),
        ('seam_resnet50_8e_weakseg-224', 224),
    ],
)
def test_configs_train_at_their_size(name, size):
    cfg = load_config(f'configs/cam/{name}.py')
    cfg.model.student.backbone.init_cfg = None
    model = MODELS.build(cfg.model).train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    logged = step(model, batch(2, size=size, labels=[[1.0], [0.0]]), wrapper)
    assert all(value.isfinite() for value in logged.values()) and logged['loss_ecr'] > 0


def test_the_published_schedule_lets_new_layers_learn_ten_times_as_fast():
    cfg = load_config('configs/cam/seam_resnet50_8e_weakseg-224.py')
    cfg.model.student.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    learned = {name: rates[id(p)] for name, p in model.named_parameters() if p.requires_grad}
    new = {f'student.backbone.{layer}.conv.weight' for layer in MODULE}
    new.add('student.head.classifier.weight')
    assert {name for name, rate in learned.items() if rate == pytest.approx(0.1)} == new
    assert all(rate == 0.01 for name, rate in learned.items() if name not in new)
    assert 'student.backbone.layer1.0.conv1.weight' not in learned

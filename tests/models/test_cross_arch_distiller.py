import copy

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.runner.checkpoint import load_checkpoint

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

CNN = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[120.0, 110.0, 100.0], std=[60.0, 50.0, 40.0], to_rgb=True),
    backbone=dict(
        type='ResNet', depth=18, stem_channels=8, base_channels=8, num_stages=2,
        strides=(1, 2), dilations=(1, 1), out_indices=(1,),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=16),
)  # fmt: skip
PCM = copy.deepcopy(CNN)
PCM['backbone'].update(type='mmsmoke.ResNetPCM', widths=(8, 8, 16))
PCM['head'] = dict(type='mmsmoke.PCMHead', num_classes=1, in_channels=16)
VIT = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
    backbone=dict(
        type='VisionTransformer', img_size=32, patch_size=8, out_type='featmap',
        arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=1, in_channels=24),
)  # fmt: skip
VIT_CLS = copy.deepcopy(VIT)
VIT_CLS['backbone'].update(type='mmsmoke.ViTWithCLS')
VIT_CLS.update(
    head=dict(type='mmsmoke.CLSHead', num_classes=1, in_channels=24),
    cam=dict(type='mmsmoke.GradCAM', layers=[-1]),
)
PROJECTION = dict(type='mmsmoke.FeatureProjection')
COSINE = dict(type='mmsmoke.GlobalCosineTransferLoss', loss_weight=0.3)
ACR = dict(VIT, type='mmsmoke.ACRClassifier')
WHOLE = dict(
    type='mmsmoke.CrossArchDistiller',
    student=VIT,
    teacher=CNN,
    transfer_loss=COSINE,
    align='class_maps',
)
OPTIMIZER = dict(
    type='OptimWrapper',
    constructor='mmsmoke.LearnableOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=5e-3, weight_decay=0.05),
)


@pytest.fixture(autouse=True)
def seed(mmpretrain_scope):
    torch.manual_seed(0)


def build(student=VIT, teacher=PCM, transfer_loss=COSINE, align='read_out', **kwargs):
    if align in ('read_out', 'features'):
        kwargs.setdefault('projection', PROJECTION)
    model = MODELS.build(
        dict(
            type='mmsmoke.CrossArchDistiller',
            student=copy.deepcopy(student),
            teacher=copy.deepcopy(teacher),
            transfer_loss=dict(transfer_loss),
            align=align,
            **kwargs,
        )
    )
    model.init_weights()
    return model.train()


def batch(count=8, size=32):
    """Noise, brighter in one corner where the label says so."""
    images = torch.randint(0, 120, (count, 3, size, size))
    samples = []
    for i, image in enumerate(images):
        image[:, :16, :16] += 120 * (i % 2)
        samples.append(WeakSegDataSample().set_gt_score(torch.tensor([float(i % 2)])))
    return dict(inputs=list(images.byte()), data_samples=samples)


def losses_of(model, data=None):
    return model(**model.data_preprocessor(data or batch(), training=True), mode='loss')


def train(model, data, steps):
    """Returns what is logged of the last step."""
    wrapper = build_optim_wrapper(model, dict(OPTIMIZER))
    return [model.train_step(data, wrapper) for _ in range(steps)][-1]


ARRANGEMENTS = dict(
    thesis=dict(student=VIT_CLS),
    patch_head=dict(),
    features=dict(align='features', teacher=CNN),
    both_projected=dict(
        align='features', teacher_projection=dict(PROJECTION, kind='frozen_random', out_channels=6)
    ),
    class_maps=dict(align='class_maps'),
    class_maps_of_cls_head=dict(student=VIT_CLS, align='class_maps'),
    logits=dict(align='logits', transfer_loss=dict(type='mmsmoke.TransferLoss', metric='kl')),
    foreground=dict(transfer_loss=dict(COSINE, channels='fg')),
    other_way_round=dict(student=CNN, teacher=VIT, align='class_maps'),
    co_training=dict(paradigm='co_training'),
    co_training_both=dict(
        paradigm='co_training',
        detach='none',
        align='class_maps',
        transfer_loss=dict(COSINE, loss_weight=0.1),
    ),
    co_training_teacher_learns=dict(paradigm='co_training', detach='student'),
)


@pytest.mark.parametrize('arrangement', ARRANGEMENTS)
def test_it_learns_labels_and_teacher_on_eight_images(arrangement):
    model, data = build(**ARRANGEMENTS[arrangement]), batch()
    if model.frozen_teacher:
        teacher = MODELS.build(copy.deepcopy(ARRANGEMENTS[arrangement].get('teacher', PCM)))
        train(teacher, data, steps=20)
        model.teacher.load_state_dict(teacher.state_dict())
    first = losses_of(model, data)
    logged = train(model, data, steps=60)
    assert logged['loss_cls'] < 0.5 * first['loss_cls']
    assert logged['loss_transfer'] < 0.7 * first['loss_transfer']
    if 'loss_teacher_cls' in first:
        assert logged['loss_teacher_cls'] < 0.5 * first['loss_teacher_cls']


def test_frozen_teacher_is_untouched_by_a_step():
    model = build()
    before = copy.deepcopy(model.teacher.state_dict())
    wrapper = build_optim_wrapper(model, dict(OPTIMIZER))
    model.train_step(batch(), wrapper)
    assert not model.teacher.training and model.student.training
    for name, value in model.teacher.state_dict().items():  # running statistics, too
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None and not p.requires_grad for p in model.teacher.parameters())
    optimized = {id(p) for group in wrapper.optimizer.param_groups for p in group['params']}
    assert optimized == {
        id(p) for part in (model.student, model.projection) for p in part.parameters()
    }


def test_a_frozen_teacher_may_have_learned_by_losses_of_its_own_kind():
    losses = losses_of(build(teacher=ACR, align='class_maps'))
    assert losses.keys() == {'loss_cls', 'loss_transfer'}


def test_networks_may_have_further_losses():
    aux = [dict(type='mmsmoke.FalsePositiveLoss')]
    networks = dict(student=dict(VIT, aux=aux), teacher=dict(PCM, aux=aux))
    names = {'loss_fpr_region', 'loss_fpr_pixel'}
    for paradigm, theirs in (('teacher_student', set()), ('co_training', names)):
        model = build(**networks, paradigm=paradigm)
        for network in (model.student, model.teacher):
            network.aux[0].counts.fill_(1)
        losses = losses_of(model)
        new = losses.keys() - losses_of(build(paradigm=paradigm)).keys()
        assert new == names | {f'teacher_{name}' for name in theirs}


def test_groups_of_learnable_parameters_keep_their_settings():
    model = build()
    config = dict(OPTIMIZER, paramwise_cfg=dict(norm_decay_mult=0, bypass_duplicate=True))
    wrapper = build_optim_wrapper(model, config)
    groups = wrapper.optimizer.param_groups
    assert all(p.requires_grad for group in groups for p in group['params'])
    decays = {group['weight_decay'] for group in groups}
    assert 0 in decays and len(decays) == 2


def gradients(model, part, key=None):
    """Of a network, from one loss or from all."""
    model.zero_grad()
    losses = losses_of(model, DATA)
    loss = losses[key] if key else sum(v for name, v in losses.items() if 'loss' in name)
    loss.backward()
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in part.parameters()]


DATA = batch(4)


@pytest.mark.parametrize(
    'detach, teacher_moves, student_moves',
    [('teacher', False, True), ('student', True, False), ('none', True, True)],
)
@pytest.mark.parametrize('align', ['class_maps', 'read_out'])
def test_detach_decides_whom_the_transfer_loss_moves(detach, teacher_moves, student_moves, align):
    model = build(paradigm='co_training', detach=detach, align=align)
    for part, own, moves in (
        (model.teacher, 'loss_teacher_cls', teacher_moves),
        (model.student, 'loss_cls', student_moves),
    ):
        alone, together = gradients(model, part, own), gradients(model, part)
        same = all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
        assert same != moves


def test_lambda_scales_the_transfer_gradient():
    once, thrice = (
        build(transfer_loss=dict(COSINE, loss_weight=weight), align='class_maps')
        for weight in (1.0, 3.0)
    )
    thrice.load_state_dict(once.state_dict())
    alone = gradients(once, once.student, 'loss_transfer')
    for a, b in zip(alone, gradients(thrice, thrice.student, 'loss_transfer'), strict=True):
        torch.testing.assert_close(3 * a, b)


@pytest.mark.parametrize('to_rgb', [True, False])
@pytest.mark.parametrize('normalized', [True, False])
def test_each_network_sees_its_own_normalisation_of_one_batch(to_rgb, normalized):
    teacher = copy.deepcopy(PCM)
    teacher['data_preprocessor'] = dict(to_rgb=to_rgb)
    if normalized:
        teacher['data_preprocessor'].update(mean=[120.0, 110.0, 100.0], std=[60.0, 50.0, 40.0])
    model = build(teacher=teacher)
    raw = batch(2)
    ours = model.student.data_preprocessor(copy.deepcopy(raw), training=True)['inputs']
    theirs = model.teacher.data_preprocessor(raw, training=True)['inputs']
    assert not torch.allclose(ours, theirs)
    torch.testing.assert_close(model.renormalize(ours), theirs, atol=1e-4, rtol=1e-5)


def test_equal_normalisations_pass_a_batch_unchanged():
    teacher = dict(copy.deepcopy(PCM), data_preprocessor=VIT['data_preprocessor'])
    inputs = torch.randn(1, 3, 8, 8)
    assert build(teacher=teacher).renormalize(inputs) is inputs


def test_predictions_are_those_of_the_student_alone(tmp_path):
    model = build(student=VIT_CLS)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'distiller.pth')
    alone = copy.deepcopy(VIT_CLS)
    alone['init_cfg'] = dict(
        type='Pretrained', checkpoint=str(tmp_path / 'distiller.pth'), prefix='student.'
    )
    alone = MODELS.build(alone)
    alone.init_weights()
    data = batch(2)
    for ours, theirs in zip(
        model.eval().test_step(copy.deepcopy(data)), alone.eval().test_step(data), strict=True
    ):
        assert torch.equal(ours.cams, theirs.cams)
        assert torch.equal(ours.pred_scores, theirs.pred_scores)


def test_published_student_loads_into_a_plain_classifier(tmp_path, load_tool, run_main):
    model = build()
    path, out = tmp_path / 'epoch_1.pth', tmp_path / 'student.pth'
    meta = dict(dataset_meta=dict(classes=('background', 'smoke')), epoch=1)
    torch.save(dict(state_dict=model.state_dict(), optimizer=dict(), meta=meta), path)
    tool = load_tool('model_converters/publish_student.py')
    assert run_main(tool.main, path, out)[0] == 0

    plain = MODELS.build(copy.deepcopy(VIT))
    checkpoint = load_checkpoint(plain, str(out), strict=True)
    assert set(checkpoint) == {'state_dict', 'meta'} and checkpoint['meta'] == meta
    data = batch(2)
    ours, theirs = (net.eval().test_step(copy.deepcopy(data)) for net in (model, plain))
    assert all(torch.equal(a.cams, b.cams) for a, b in zip(ours, theirs, strict=True))

    torch.save(dict(state_dict=plain.state_dict()), path)
    code, _, error = run_main(tool.main, path, out)
    assert code == 2 and 'holds no student' in error


def test_networks_come_from_config_files_with_changes(tmp_path):
    config = tmp_path / 'vit.py'
    config.write_text(f'model = {VIT!r}\n')
    model = build(student=dict(config=str(config), backbone=dict(patch_size=4)), teacher=CNN)
    assert model.student.backbone.patch_embed.projection.kernel_size == (4, 4)
    assert model.student.backbone.embed_dims == 24


def test_checkpoint_of_the_teacher_is_loaded(tmp_path):
    trained = MODELS.build(copy.deepcopy(PCM))
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'teacher.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'teacher.pth'))
    model = build(teacher=dict(PCM, init_cfg=init))
    for name, value in trained.state_dict().items():
        assert torch.equal(model.teacher.state_dict()[name], value), name


def test_what_is_aligned_can_be_read():
    model = build(student=VIT_CLS, read_projection=True).eval()
    inputs = torch.randn(2, 3, 32, 48)
    samples = model.predict(inputs)
    aligned = model.projection(model.student.extract_feat(inputs))[:, :1].relu()
    assert torch.equal(torch.stack([sample.cams for sample in samples]), aligned)
    with pytest.raises(UserError, match='leave them out to read maps in another way'):
        model.read_out_by(dict(type='mmsmoke.LayerCAM'))


def test_background_share_of_the_teacher_is_logged():
    model = build()
    with torch.no_grad():
        model.teacher.head.classifier.weight.zero_()
        model.teacher.head.classifier.bias.copy_(torch.tensor([1.0, 3.0]))
    share = losses_of(model)['background_share']
    torch.testing.assert_close(share, torch.tensor(0.9))
    assert 'background_share' not in losses_of(build(teacher=CNN))


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(align='tokens'), 'align must be one of features, read_out, class_maps, logits'),
        (dict(paradigm='self'), 'paradigm must be one of teacher_student, co_training'),
        (dict(paradigm='co_training', detach='both'), 'detach must be one of'),
        (dict(detach='none'), "detach='none' needs paradigm='co_training'"),
        (dict(projection=None), "align='read_out' needs a projection"),
        (dict(align='class_maps', projection=PROJECTION), 'has no use for a projection'),
        (dict(teacher_projection=PROJECTION), 'has no use for a teacher_projection'),
        (
            dict(teacher=dict(CNN, head=dict(CNN['head'], num_classes=3))),
            'the student has num_classes=1, the teacher 3',
        ),
        (dict(teacher=CNN, transfer_loss=dict(COSINE, channels='fg')), 'background=True'),
        (dict(projection=dict(PROJECTION, out_channels=3)), "the teacher's map has 2 channels"),
        (dict(align='class_maps', read_projection=True), 'no projection onto class maps to read'),
        (
            dict(teacher=dict(PCM, init_cfg=dict(type='Pretrained', checkpoint='no/such.pth'))),
            'checkpoint no/such.pth of the teacher not found: train the teacher first',
        ),
        (dict(student=dict(config='no/such.py')), 'config no/such.py not found'),
        (dict(student=ACR), 'the student cannot be ACRClassifier'),
        (dict(teacher=ACR, paradigm='co_training'), 'the teacher cannot be ACRClassifier'),
        (dict(teacher=WHOLE), 'the teacher must be a classifier, not CrossArchDistiller'),
        (dict(student=WHOLE), 'the student must be a classifier, not CrossArchDistiller'),
    ],
)
def test_wrong_arrangements_are_named(changes, message):
    with pytest.raises(UserError, match=message.replace('.', r'\.')):
        build(**changes)


@pytest.mark.parametrize(
    'transfer_loss, align, message',
    [
        (COSINE, 'logits', 'the cosine of two single numbers has no gradient'),
        (dict(type='mmsmoke.TransferLoss', level='gram'), 'class_maps', 'gram needs several'),
    ],
)
def test_a_transfer_that_teaches_nothing_is_named(transfer_loss, align, message):
    with pytest.raises(UserError, match=f'transfer_loss: .*{message}'):
        losses_of(build(transfer_loss=transfer_loss, align=align))


def test_frozen_teacher_without_a_checkpoint_is_said(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        build()
    finally:
        logger.removeHandler(caplog.handler)
    assert 'the frozen teacher has no checkpoint' in caplog.text

import copy

import pytest
import torch

from mmsmoke.functional import normalize_cams, resize_maps
from mmsmoke.models.cams import CombinedCAM, LinearCAM
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

CNN = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True),
    backbone=dict(
        type='ResNet', depth=18, stem_channels=8, base_channels=8, num_stages=2,
        strides=(1, 2), dilations=(1, 1), out_indices=(1,),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=2, in_channels=16),
)  # fmt: skip
VIT = dict(
    type='mmsmoke.CAMClassifier',
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
    backbone=dict(
        type='VisionTransformer', img_size=32, patch_size=8, out_type='featmap',
        arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
    ),
    head=dict(type='mmsmoke.CAMHead', num_classes=2, in_channels=24),
)  # fmt: skip


def distiller(**settings):
    return MODELS.build(
        dict(
            type='mmsmoke.CrossArchDistiller',
            student=copy.deepcopy(VIT),
            teacher=copy.deepcopy(CNN),
            transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
            align='class_maps',
            **settings,
        )
    )


@pytest.fixture
def pictures(mmpretrain_scope):
    torch.manual_seed(0)
    return torch.randn(3, 3, 32, 32)


def maps_of(model, pictures):
    with torch.no_grad():
        return torch.stack([sample.cams for sample in model.eval().predict(pictures)])


@pytest.mark.parametrize(
    ('mode', 'combine'),
    [('and', torch.minimum), ('or', torch.maximum), ('mean', lambda a, b: (a + b) / 2)],
)
def test_both_maps_are_normalised_and_meet_on_the_finer_grid(pictures, mode, combine):
    model = distiller(combine=mode)
    found = maps_of(model, pictures)
    with torch.no_grad():
        _, ours = LinearCAM()(model.student, pictures)
        _, theirs = LinearCAM()(model.teacher, model.renormalize(pictures))
    ours, theirs = (normalize_cams(maps[:, 0].relu()) for maps in (ours, theirs))
    size = [max(pair) for pair in zip(ours.shape[-2:], theirs.shape[-2:], strict=True)]
    assert torch.allclose(found, combine(resize_maps(ours, size), resize_maps(theirs, size)))


def test_logits_are_the_students_and_the_map_says_that_it_is_a_score(pictures):
    model = distiller(combine='and')
    sample = model.eval().predict(pictures)[0]
    alone = copy.deepcopy(model.student)
    alone.read_out = LinearCAM()
    assert torch.equal(sample.pred_scores, alone.predict(pictures)[0].pred_scores)
    assert sample.cam_normalize == 'none'


def test_what_both_see_is_no_more_than_what_either_sees(pictures):
    torch.manual_seed(1)
    model = distiller()
    states = {}
    for mode in ('and', 'or', 'mean'):
        again = distiller(combine=mode)
        again.load_state_dict(model.state_dict())
        states[mode] = maps_of(again, pictures)
    assert (states['and'] <= states['mean'] + 1e-6).all()
    assert (states['mean'] <= states['or'] + 1e-6).all()


def test_maps_that_are_put_together_are_read_in_no_other_way(pictures):
    with pytest.raises(UserError, match='leave them out to read maps in another way'):
        distiller(combine='and').read_out_by(dict(type='mmsmoke.LayerCAM'))


def test_an_unknown_mode_is_named(pictures):
    with pytest.raises(UserError, match='mode must be one of and, or, mean'):
        distiller(combine='xor')
    assert CombinedCAM.normalize == 'none'

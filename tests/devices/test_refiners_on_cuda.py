"""Refiners and the hooks of a label run, with scores on a GPU that is not there."""

import copy
from pathlib import Path

import numpy as np
import pytest
import segment_anything
import tiny_models
import torch
from fake_cuda import PRECISIONS, devices_of, fake_cuda, on_cpu, on_cuda
from tiny_clip import config as clip_config
from tiny_clip import save_tiny_clip
from tiny_sam import tiny_sam

from mmsmoke.engine.hooks.label_preview_hook import _row
from mmsmoke.engine.picture import picture
from mmsmoke.functional.proposals import MaskProposals
from mmsmoke.registry import HOOKS, MODELS
from mmsmoke.structures import WeakSegDataSample

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

SIZE = 32
IMAGES = [np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)] * 2
SCORES = [torch.rand(2, SIZE, SIZE, generator=torch.Generator().manual_seed(k)) for k in range(2)]
PRESENT = [torch.tensor([True, True]), torch.tensor([True, False])]
SAM = dict(type='mmsmoke.SAMProposals', checkpoint='sam.pth', model_type='vit_b',
           pred_iou_thresh=0.0, stability_score_thresh=0.0, points_per_side=2)  # fmt: skip
AFFINITY = dict(model=tiny_models.AFFINITY_NETS['affinity_of_features'], checkpoint='net.pth')
CLIP = clip_config('clip.pt')
REFINERS = {
    'CRFRefiner-torch': dict(backend='torch'),
    'CRFRefiner-translucent': dict(backend='torch', preset='translucent'),
    'CRFRefiner-deeplab': dict(backend='torch', preset='deeplab'),
    'CRFRefiner-pydensecrf': dict(workers=1),
    'CRFRefiner-hard_labels': dict(preset='irn', workers=1),
    'PAR': {},
    'AffinityRefiner-psa': AFFINITY,
    'AffinityRefiner-irn': dict(AFFINITY, power=None),
    'SAMRefiner': dict(proposals=SAM, rule='sam_wsss'),
    'CLIPRefiner': dict(clip=CLIP),
    'CLIPRefiner-fused': dict(clip=CLIP, source='scores', combine='product'),
}
HOOKS_THAT_REFINE = {
    'CRFHook': dict(backend='torch', workers=1),
    'AffinityHook': AFFINITY,
    'SAMHook': dict(proposals=SAM),
    'CLIPHook': dict(clip=CLIP),
    'RefineHook': dict(refiner=dict(type='mmsmoke.CRFRefiner', backend='torch'), stage='crf'),
    'CAMFusionHook': {},
    'AffinityLabelHook-torch': dict(backend='torch', workers=1),
    'AffinityLabelHook-pydensecrf': dict(workers=1),
    'BoundaryLabelHook': dict(backend='torch', workers=1),
    'PseudoLabelHook': dict(threshold=0.5, ignore_above=0.3, score_stride=2),
}
ALSO_TRIED = ('SAMProposals', 'LabelPreviewHook')


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Function that builds a refiner or hook, for which weights lie in the current folder."""

    def activations_themselves(logits, activations, *_, **__):
        return [one.detach().expand(logits.shape[1], *one.shape) for one in activations]

    grad = 'mmsmoke.models.cams.grad_cam.torch.autograd.grad'
    monkeypatch.setattr(grad, activations_themselves)
    monkeypatch.setitem(segment_anything.sam_model_registry, 'vit_b', tiny_sam)
    monkeypatch.chdir(tmp_path)

    def make(registry, name, settings):
        if 'CLIP' in name:
            save_tiny_clip('clip.pt')
        if 'Affinity' in name and 'model' in settings:
            net = tiny_models.build('net', copy.deepcopy(settings['model']))
            torch.save(net.state_dict(), 'net.pth')
        torch.manual_seed(0)
        torch.save(tiny_sam().state_dict(), 'sam.pth')
        kind = name.split('-')[0]
        return registry.build(dict(copy.deepcopy(settings), type=f'mmsmoke.{kind}'))

    return make


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('name', REFINERS)
def test_scores_come_back_on_the_gpu_as_those_of_a_cpu(name, precision, build):
    if 'pydensecrf' in name or 'hard' in name:
        pytest.importorskip('pydensecrf')
    expected = build(MODELS, name, REFINERS[name]).batch(IMAGES, SCORES, PRESENT)
    refiner = build(MODELS, name, REFINERS[name])
    with fake_cuda(precision):
        found = refiner.batch(IMAGES, on_cuda(SCORES), on_cuda(PRESENT))
        assert devices_of(found) == {'cuda'}
        error = 1e-4 if precision is None else 0.2  # of a network; the rest is exact
        torch.testing.assert_close(on_cpu(found), expected, rtol=error, atol=error)


def test_proposals_of_a_network_on_the_gpu_are_those_of_a_cpu(build):
    expected = build(MODELS, 'SAMProposals', dict(SAM, device='cpu'))(IMAGES[0])
    with fake_cuda():
        found = build(MODELS, 'SAMProposals', dict(SAM, device='cuda'))(IMAGES[0])
    assert isinstance(found, MaskProposals) and len(found) > 0
    assert (found.masks() == expected.masks()).all()


def samples(place):
    made = []
    for number, (scores, labels) in enumerate(zip(SCORES, PRESENT, strict=True)):
        sample = WeakSegDataSample(metainfo=dict(ori_shape=(SIZE, SIZE), image=f'{number}.png'))
        sample.set_gt_score(place(labels.float())).set_pred_score(place(labels.float()))
        sample.seg_scores = place(scores)
        sample.cams = place(scores[:, ::4, ::4])
        sample.cam_layers = place(torch.stack([scores[:, ::4, ::4]] * 2))
        sample.set_metainfo(dict(mask_name=f'{number}.png'))
        made.append(sample)
    return made


def after(hook, place):
    """Return what a hook makes of samples."""
    hook.palette, hook.folder = [[0, 0, 0]] * 3, Path.cwd()
    if hasattr(hook, 'threshold'):
        hook.levels = [hook.threshold, hook.ignore_above]
    found = samples(place)
    images = [torch.from_numpy(image).permute(2, 0, 1) for image in IMAGES]
    hook.after_test_iter(None, 0, dict(inputs=images), found)
    return found


def answers(found):
    masks = [one.pred_sem_seg.data for one in found if 'pred_sem_seg' in one]
    return [*masks, *(one.seg_scores for one in found)], [one.get('record') for one in found]


@pytest.mark.parametrize('name', HOOKS_THAT_REFINE)
def test_a_hook_leaves_on_the_gpu_what_it_would_on_a_cpu(name, build):
    if 'pydensecrf' in name:
        pytest.importorskip('pydensecrf')
    expected, records = answers(after(build(HOOKS, name, HOOKS_THAT_REFINE[name]), lambda t: t))
    hook = build(HOOKS, name, HOOKS_THAT_REFINE[name])
    with fake_cuda():
        found, same_records = answers(after(hook, torch.Tensor.cuda))
        assert devices_of(found) == {'cuda'}
        torch.testing.assert_close(on_cpu(found), expected, rtol=1e-4, atol=1e-4)
    assert same_records == records


def test_a_picture_and_a_preview_are_those_of_a_cpu():
    pixels = torch.from_numpy(IMAGES[0]).permute(2, 0, 1)
    palette = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]
    expected = _row(pixels, samples(lambda t: t)[0], 0.3, palette)
    with fake_cuda():
        sample = samples(torch.Tensor.cuda)[0]
        assert (picture(pixels.cuda(), sample) == IMAGES[0][..., ::-1]).all()
        found = _row(pixels.cuda(), sample, 0.3, palette)
    np.testing.assert_array_equal(found, expected)

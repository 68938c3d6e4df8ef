"""What the inferencer finds, against a bare loop over the same model."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT, draw, save
from label_runs import PIPELINE as LABEL_PIPELINE
from label_runs import label_config, tiny_model
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from tiny_segmentor import deeplab
from tiny_trained import PIPELINE, tiny_distiller, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.functional import cams_to_scores, logits_to_scores, scores_to_mask
from mmsmoke.inference.outputs import shares_of
from mmsmoke.inference.predictor import load_model
from mmsmoke.models import CRFRefiner
from mmsmoke.registry import INFERENCERS
from mmsmoke.utils import UserError

SEGMENTORS = [
    pytest.param(tiny_segmentor(), ('smoke',), id='softmax'),
    pytest.param(tiny_segmentor(out_channels=1), ('smoke',), id='sigmoid'),
    pytest.param(tiny_segmentor(3), ('smoke', 'fire'), id='two classes'),
    pytest.param(deeplab(1), ('smoke',), id='DeepLabV1'),
    pytest.param(deeplab(2), ('smoke',), id='DeepLabV2'),
]
CLASSIFIERS = [
    pytest.param(tiny_model(1), ('smoke',), id='classifier'),
    pytest.param(tiny_model(2), ('smoke', 'fire'), id='two classes'),
    pytest.param(tiny_distiller(), ('smoke',), id='distiller'),
]


@pytest.fixture
def photos(tmp_path):
    """Images of two sizes in two folders; their names do not sort by size."""
    rng = np.random.default_rng(0)
    for i in range(6):
        size = (40, 32) if i % 3 else (32, 24)
        folder = 'north' if i % 2 else 'south/far'
        save(tmp_path / 'photos' / folder / f'{i}.png', draw(rng, size, [i % 2])[0])
    return tmp_path / 'photos'


def bare_samples(cfg, weights, paths):
    """What the model says to each image alone, prepared by the pipeline of its config."""
    model = load_model(cfg, weights)
    pipeline = [dict(type='mmsmoke.LoadImage'), *cfg.test_dataloader.dataset.pipeline[3:]]
    prepare = Compose(pipeline)
    with torch.no_grad():
        for path in paths:
            yield model.test_step(pseudo_collate([prepare(dict(img_path=str(path)))]))[0]


@pytest.mark.parametrize(('model', 'classes'), SEGMENTORS)
def test_masks_are_the_segmentor_s_own(model, classes, photos, tmp_path):
    cfg, weights = trained(tmp_path, model, classes)
    found = SmokeInferencer(cfg, weights)(photos, batch_size=4)
    paths = sorted(photos.rglob('*.png'))
    assert [one.image for one in found] == [path.relative_to(photos).as_posix() for path in paths]
    kinds = set()
    for one, sample in zip(found, bare_samples(cfg, weights, paths), strict=True):
        expected = sample.pred_sem_seg.data[0].numpy()
        assert one.mask.dtype == np.uint8 and one.probabilities is None and one.scores is None
        assert (one.mask != expected).mean() < 0.002  # other batches round differently
        assert list(one.shares) == list(classes)
        for k, share in enumerate(one.shares.values()):
            assert share == pytest.approx(100 * (one.mask == k + 1).mean())
        kinds |= set(np.unique(one.mask))
    assert len(kinds) > 1


@pytest.mark.parametrize(('model', 'classes'), SEGMENTORS)
def test_a_threshold_acts_on_a_segmentor_s_probabilities(model, classes, photos, tmp_path):
    cfg, weights = trained(tmp_path, model, classes)
    found = SmokeInferencer(cfg, weights, threshold=0.7)(photos, batch_size=1, return_scores=True)
    samples = bare_samples(cfg, weights, sorted(photos.rglob('*.png')))
    for one, sample in zip(found, samples, strict=True):
        scores = logits_to_scores(sample.seg_logits.data)
        assert np.allclose(one.scores, scores.numpy(), atol=1e-5)
        assert np.array_equal(one.mask, scores_to_mask(torch.from_numpy(one.scores), 0.7).numpy())
    assert any(one.mask.any() for one in found)


@pytest.mark.parametrize('threshold', [None, 0.6])
@pytest.mark.parametrize(('model', 'classes'), CLASSIFIERS)
def test_masks_of_a_classifier_are_maps_of_what_it_predicts(
    model, classes, threshold, photos, tmp_path
):
    cfg, weights = trained(tmp_path, model, classes)
    inferencer = SmokeInferencer(cfg, weights, threshold=threshold)
    head = getattr(inferencer.model, 'student', inferencer.model).head
    with torch.no_grad():
        head.classifier.weight[-1] *= -1  # never the last class
        paths = sorted(photos.rglob('*.png'))
        found = inferencer(photos, batch_size=4, return_scores=True)
        for one, path in zip(found, paths, strict=True):
            item = Compose([PIPELINE[0], PIPELINE[-1]])(dict(img_path=str(path)))
            sample = inferencer.model.test_step(pseudo_collate([item]))[0]
            present = sample.pred_scores > 0.5
            scores = cams_to_scores(sample.cams, one.mask.shape, present)
            assert one.mask.shape == sample.ori_shape and not present[-1]
            assert np.allclose(one.scores, scores.numpy(), atol=1e-4)
            expected = scores_to_mask(torch.from_numpy(one.scores), threshold or 0.3).numpy()
            assert np.array_equal(one.mask, expected)
            assert list(one.probabilities.values()) == pytest.approx(
                sample.pred_scores.tolist(), abs=1e-5
            )
            assert one.shares[classes[-1]] == 0


@pytest.mark.parametrize(('model', 'classes'), [*SEGMENTORS, *CLASSIFIERS])
def test_refiners_improve_the_scores_before_the_threshold(model, classes, photos, tmp_path):
    cfg, weights = trained(tmp_path, model, classes)
    plain = SmokeInferencer(cfg, weights)(photos, return_scores=True)
    crf, seen = CRFRefiner('psa', backend='torch'), []

    def halve(image, scores, present):
        assert image.dtype == np.uint8 and image.shape[:2] == tuple(scores.shape[1:])
        seen.append(image)
        return scores / 2

    refined = SmokeInferencer(cfg, weights, threshold=0.2, refine=[crf, halve])
    found = refined(photos, return_scores=True)
    improved = 0
    for one, before, path in zip(found, plain, sorted(photos.rglob('*.png')), strict=True):
        picture = read_image(path)
        scores = torch.from_numpy(before.scores)
        present = torch.ones(len(scores), dtype=torch.bool)
        if before.probabilities:
            present = torch.tensor([p > 0.5 for p in before.probabilities.values()])
        expected = scores
        if scores.any():
            expected = crf(picture, scores, present) / 2
            improved += 1
        assert np.allclose(one.scores, expected.numpy(), atol=1e-4)
        mask = scores_to_mask(torch.from_numpy(one.scores), 0.2).numpy()
        assert np.array_equal(one.mask, mask)
    assert improved and len(seen) == improved


def test_a_refined_segmentor_has_a_threshold_and_a_short_form_names_the_refiner(photos, tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor(), ('smoke',))
    assert SmokeInferencer(cfg, weights).threshold is None
    assert SmokeInferencer(cfg, weights, refine=['crf:translucent']).threshold == 0.5
    with pytest.raises(UserError, match="'crv' names no refiner"):
        SmokeInferencer(cfg, weights, refine=['crv'])


def test_a_checkpoint_alone_is_enough_if_it_holds_its_config(photos, tmp_path):
    cfg, weights = trained(tmp_path, tiny_distiller())
    expected = [one.mask for one in SmokeInferencer(cfg, weights)(photos)]
    config = tmp_path / 'config.py'
    config.write_text(cfg.pretty_text)
    for arguments in ((weights,), (config, weights), (str(weights), str(weights))):
        found = SmokeInferencer(*arguments)(photos)
        assert all(map(np.array_equal, expected, [one.mask for one in found]))


def test_a_published_student_keeps_the_config_of_its_distiller(photos, tmp_path, load_tool):
    _, weights = trained(tmp_path, tiny_distiller())
    student = tmp_path / 'student.pth'
    load_tool('model_converters/publish_student.py').publish(weights, student)
    both = [SmokeInferencer(path)(photos) for path in (weights, student)]
    for first, second in zip(*both, strict=True):
        assert np.array_equal(first.mask, second.mask)
    cfg, _ = trained(tmp_path, tiny_model(1))
    with pytest.raises(ValueError, match=r'checkpoint of a distiller; .*publish_student\.py'):
        SmokeInferencer(cfg, weights)


def test_the_config_of_a_label_run_stands_for_its_model(photos, tmp_path, checkpoint):
    cfg = label_config(tmp_path / 'nowhere', tmp_path, checkpoint())
    plain, weights = trained(tmp_path, tiny_model(1), pipeline=LABEL_PIPELINE)
    for one, other in zip(
        SmokeInferencer(cfg, weights)(photos), SmokeInferencer(plain, weights)(photos), strict=True
    ):
        assert np.array_equal(one.mask, other.mask)


@pytest.mark.parametrize('steps', [[], [dict(type='mmcv.Resize', scale=(24, 24))]])
def test_arrays_are_what_files_are(steps, photos, tmp_path):
    pipeline = [*PIPELINE[:1], *steps, *PIPELINE[1:]]
    cfg, weights = trained(tmp_path, tiny_segmentor(), pipeline=pipeline)
    inferencer = SmokeInferencer(cfg, weights)
    paths = sorted((photos / 'north').glob('*.png'))
    from_files = inferencer(paths, batch_size=1)
    arrays = [Compose([PIPELINE[0]])(dict(img_path=str(path)))['img'] for path in paths]
    before = copy.deepcopy(arrays)
    from_arrays = inferencer(arrays, batch_size=1)
    assert [one.image for one in from_arrays] == ['array_0', 'array_1', 'array_2']
    for file, array in zip(from_files, from_arrays, strict=True):
        assert np.array_equal(file.mask, array.mask) and file.shares == array.shares
    assert all(map(np.array_equal, arrays, before))
    assert np.array_equal(inferencer(arrays[0])[0].mask, from_files[0].mask)
    mirrored = inferencer(arrays[0][..., ::-1])[0].mask  # the order of channels matters
    assert not np.array_equal(mirrored, from_files[0].mask)
    stacked = inferencer(np.stack(arrays[:1] * 2))
    assert len(stacked) == 2 and np.array_equal(stacked[1].mask, from_files[0].mask)


@pytest.mark.parametrize('model', [tiny_segmentor(), tiny_model(1)], ids=['segmentor', 'CAMs'])
def test_neither_the_batch_nor_what_else_is_in_it_matters(model, photos, tmp_path):
    inferencer = SmokeInferencer(*trained(tmp_path, model))
    alone = inferencer(photos, batch_size=1)
    assert len({one.mask.shape for one in alone}) == 2
    for size in (2, 5, 64):
        together = inferencer(photos, batch_size=size)
        for one, other in zip(alone, together, strict=True):
            assert one.image == other.image and (one.mask != other.mask).mean() < 0.002


def test_photos_of_several_sizes_made_one_are_no_reason_to_complain(
    photos, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handlers', [caplog.handler])
    pipeline = [PIPELINE[0], dict(type='mmcv.Resize', scale=(24, 24)), *PIPELINE[1:]]
    found = SmokeInferencer(*trained(tmp_path, tiny_segmentor(), pipeline=pipeline))(photos)
    assert len({one.mask.shape for one in found}) == 2 and 'different' not in caplog.text


def test_other_segmentors_and_pipelines_of_mmseg(photos, tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor(3), ('smoke', 'fire'))
    expected = SmokeInferencer(cfg, weights)(photos)
    cfg.test_dataloader.dataset = dict(
        type='BaseSegDataset',
        metainfo=dict(classes=('clear', 'smoke', 'fire')),
        data_prefix=dict(img_path='nowhere'),
        test_mode=True,
        pipeline=[
            dict(type='LoadImageFromFile', to_float32=True),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    )
    inferencer = SmokeInferencer(cfg, weights)
    assert inferencer.classes == ('smoke', 'fire') and len(inferencer.palette) == 3
    found = inferencer(photos, out_dir=tmp_path / 'out')
    for one, other in zip(expected, found, strict=True):
        assert list(one.shares.values()) == list(other.shares.values())
    array = np.zeros((8, 8, 3), np.uint8)
    assert inferencer(array)[0].mask.shape == (8, 8)
    save(photos / 'a.png', array).write_bytes(b'nothing')
    with pytest.raises(ValueError, match=r'a\.png: image cannot be read'):
        inferencer(photos)


def test_nothing_is_downloaded(photos, tmp_path, monkeypatch):
    model = tiny_segmentor()
    cfg, weights = trained(tmp_path, model)
    model['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='https://nowhere.invalid/x')
    monkeypatch.setattr('socket.socket.connect', None)
    found = SmokeInferencer(Config({**cfg.to_dict(), 'model': model}), weights)(photos)
    assert len(found) == 6

    asked = []
    timm = pytest.importorskip('timm')
    build = timm.create_model

    def noted(*args, pretrained=False, **kwargs):
        asked.append(pretrained)
        return build(*args, pretrained=False, **kwargs)

    monkeypatch.setattr(timm, 'create_model', noted)
    for scope in ('mmseg', 'mmpretrain'):
        backbone = dict(
            type=f'{scope}.TIMMBackbone', model_name='resnet10t', features_only=True,
            out_indices=(0,),
        )  # fmt: skip
        model = tiny_segmentor()
        model['backbone'] = {**backbone, 'pretrained': False}
        model['decode_head'].update(in_channels=64)
        _, weights = trained(tmp_path, model)
        model['backbone'] = {**backbone, **(dict(pretrained=True) if scope != 'mmseg' else {})}
        asked.clear()
        load_model(Config(dict(default_scope='mmseg', model=model)), weights)
        assert asked == [False]


def test_a_stream_reads_little_ahead_and_leaves_gradients_alone(photos, tmp_path, monkeypatch):
    inferencer = SmokeInferencer(*trained(tmp_path, tiny_segmentor()))
    read, prepare = [], inferencer.prepare

    def noted(item):
        read.append(item.name)
        return prepare(item)

    inferencer.prepare = noted
    array = np.zeros((8, 8, 3), np.uint8)
    stream = inferencer.stream([array] * 100, batch_size=2)
    first = next(stream)
    assert first.mask.shape == (8, 8) and torch.is_grad_enabled()
    assert len(read) <= 2 + 2 * 2 + 1
    stream.close()
    assert len(read) < 10


@pytest.mark.parametrize('model', [tiny_segmentor(3), tiny_model(2)], ids=['segmentor', 'CAMs'])
def test_classes_without_a_name_are_noticed(model, photos, tmp_path):
    inferencer = SmokeInferencer(*trained(tmp_path, model))
    with pytest.raises(ValueError, match='the model knows 2 classes, its config names 1'):
        inferencer(photos)


def test_it_is_in_the_registry_and_costs_nothing_until_used(tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor())
    built = INFERENCERS.build(dict(type='mmsmoke.SmokeInferencer', model=cfg, weights=weights))
    assert isinstance(built, SmokeInferencer)
    code = "import sys, mmsmoke.apis; assert 'torch' not in sys.modules; mmsmoke.apis.Nothing"
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert "'mmsmoke.apis' has no attribute 'Nothing'" in done.stderr


def test_the_scope_of_other_code_is_left_alone(photos, tmp_path):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        SmokeInferencer(*trained(tmp_path, tiny_segmentor()))(photos)
        assert DefaultScope.get_current_instance().scope_name == 'mmpretrain'


@pytest.mark.parametrize('model', [tiny_model(2), tiny_segmentor(3)], ids=['maps', 'segmentor'])
def test_each_class_has_its_threshold(model, photos, tmp_path):
    cfg, weights = trained(tmp_path, model, ('smoke', 'fire'))
    inferencer = SmokeInferencer(cfg, weights, threshold=dict(fire=0.2, smoke=0.5))
    found = inferencer(photos, return_scores=True)
    for one in found:
        mask = scores_to_mask(torch.from_numpy(one.scores), [0.5, 0.2]).numpy()
        assert np.array_equal(one.mask, mask)
        assert one.shares == shares_of(mask, ('smoke', 'fire'))
    assert any(one.shares['fire'] for one in found)
    with pytest.raises(UserError, match='threshold must name each class: smoke, fire; got smoke'):
        SmokeInferencer(cfg, weights, threshold=dict(smoke=0.5))


def test_two_classes_are_named_wherever_results_are_written(photos, tmp_path):
    cfg, weights = trained(tmp_path, tiny_model(2), ('smoke', 'fire'))
    inferencer = SmokeInferencer(cfg, weights, refine=['crf:translucent'], threshold=0.2)
    inferencer(photos, tmp_path / 'out')
    header, *rows = (tmp_path / 'out/areas.csv').read_text().splitlines()
    assert header == 'image,share_smoke,share_fire,probability_smoke,probability_fire'
    assert len(rows) == 6
    seen = set()
    for path in sorted((tmp_path / 'out/masks').rglob('*.png')):
        seen |= set(np.unique(read_mask(path)).tolist())
    assert seen <= {0, 1, 2} and seen - {0}
    assert len(list((tmp_path / 'out/overlays').rglob('*.jpg'))) == 6

"""Segmentors as TorchScript and ONNX files; that they compute what the ordinary test does."""

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT, write_dataset
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, DefaultScope
from mmseg.models import EncoderDecoder
from tiny_segmentor import PIPELINE, build, deeplab, on_disk, segmentor

from mmsmoke.datasets.pictures import read_image
from mmsmoke.deploy.export import SegmentorGraph, export_segmentor
from mmsmoke.deploy.formats import FORMATS
from mmsmoke.deploy.parity import decide, decision, lay_out
from mmsmoke.engine.launch import load_config
from mmsmoke.functional import logits_to_scores
from mmsmoke.inference.predictor import build_model
from mmsmoke.utils import UserError, read_json, sha256_of_file

TORCHSCRIPT = ('torchscript',)
SIZE = (36, 48)
RESIZE = dict(type='mmcv.Resize', scale=(56, 40))


KINDS = pytest.mark.parametrize(
    ('model', 'classes'),
    [
        (dict(), ('smoke',)),
        (dict(out_channels=1), ('smoke',)),
        (dict(num_classes=3, align_corners=True), ('smoke', 'fire')),
    ],
    ids=['softmax', 'sigmoid', 'two classes'],
)


def read(path):
    """uint8 [1, 3, H, W], RGB."""
    return torch.from_numpy(read_image(path).copy()).permute(2, 0, 1)[None]


def pictures(count, size=SIZE):
    return torch.from_numpy(
        np.random.default_rng(1).integers(0, 256, (count, 3, *size), dtype=np.uint8)
    )


def ordinarily(model, cfg):
    """File, scores and mask of each test image, by the data set and the model alone."""
    with DefaultScope.overwrite_default_scope('mmseg'), torch.no_grad():
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        for i in range(len(dataset)):
            (sample,) = model.test_step(pseudo_collate([dataset[i]]))
            scores = logits_to_scores(sample.seg_logits.data)
            yield dataset.get_data_info(i)['img_path'], scores, sample.pred_sem_seg.data[0]


def export(files, out, formats=TORCHSCRIPT, **options):
    config, checkpoint = files
    return export_segmentor(load_config(config), checkpoint, out, formats, **options)


@pytest.fixture
def files(tiny_dataset, tmp_path):
    """Function that makes a config file and a checkpoint on a small data set."""

    def make(model=None, **kwargs):
        root = tiny_dataset(classes=kwargs.get('classes', ('smoke',)))
        return on_disk(tmp_path, root, model or segmentor(), **kwargs)

    return make


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """A segmentor in both formats: folder, config and checkpoint; its test resizes JPEGs."""
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason=f'{package} is not installed (extra deploy)')
    folder = tmp_path_factory.mktemp('export')
    root = write_dataset(folder / 'data', size=(64, 50), suffix='.jpg')
    pipeline = [PIPELINE[0], RESIZE, *PIPELINE[1:]]
    model = segmentor(preprocessor=dict(bgr_to_rgb=True))
    config, checkpoint = on_disk(folder, root, model, pipeline)
    export((config, checkpoint), folder / 'deploy', tuple(FORMATS))
    return folder, config, checkpoint


@pytest.mark.parametrize('convert', [True, False])
def test_colours_arrive_as_in_the_ordinary_test(files, convert):
    cfg = load_config(files(segmentor(preprocessor=dict(bgr_to_rgb=convert)))[0])
    model = build(cfg.model)
    graph = SegmentorGraph(model, SIZE)
    for path, scores, _ in ordinarily(model, cfg):
        assert torch.allclose(graph(read(path))[0], scores, atol=1e-6)
        assert not torch.allclose(graph(read(path).flip(1))[0], scores, atol=0.1)


@pytest.mark.parametrize(
    'test_cfg', [None, dict(size_divisor=32), dict(size=(64, 80)), dict(size_divisor=4)]
)
@KINDS
def test_scores_and_masks_are_those_of_the_ordinary_test(files, model, classes, test_cfg):
    preprocessor = dict(test_cfg=test_cfg, pad_val=1, size_divisor=16)
    cfg = load_config(files(segmentor(**model, preprocessor=preprocessor), classes=classes)[0])
    model = build(cfg.model)
    graph, threshold, masks = SegmentorGraph(model, SIZE), decision(model)['threshold'], []
    for path, scores, mask in ordinarily(model, cfg):
        found = graph(read(path))
        assert found.shape == (1, len(classes), *SIZE) and found.dtype == torch.float32
        assert torch.allclose(found[0], scores, atol=1e-6)
        assert (decide(found, threshold)[0] != mask).float().mean() < 0.001
        masks.append(mask)
    assert len(torch.stack(masks).unique()) == len(classes) + 1


@KINDS
def test_every_kind_of_head_is_exported(files, tmp_path, model, classes):
    about = export(files(segmentor(**model), classes=classes), tmp_path / 'deploy')
    written = about['files']['torchscript']
    assert written['largest_difference'] < 1e-5 and written['pixels_decided_otherwise'] < 0.001
    assert about['output']['classes'] == list(classes)
    assert about['threshold'] == (None if len(classes) > 1 else 0.4 if model else 0.5)


@pytest.mark.parametrize('version', [1, 2])
def test_deeplab_is_exported_for_any_batch(files, version, tmp_path):
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason=f'{package} is not installed (extra deploy)')
    about = export(files(deeplab(version)), tmp_path / 'deploy', tuple(FORMATS))
    assert about['input']['shape'][0] == 'batch' and set(about['files']) == set(FORMATS)


@pytest.mark.parametrize('name', FORMATS)
@pytest.mark.parametrize('count', [1, 2, 5])
def test_files_compute_what_the_graph_does_for_any_batch(exported, name, count):
    folder, config, _ = exported
    images = pictures(count, (40, 56))
    graph = SegmentorGraph(build(load_config(config).model), (40, 56))
    found = FORMATS[name].read(folder / 'deploy' / FORMATS[name].file)(images)
    assert torch.allclose(found, graph(images), atol=1e-5) and found.std() > 0.01


def test_the_json_says_the_truth(exported):
    import onnxruntime

    folder, config, checkpoint = exported
    out = folder / 'deploy'
    about = read_json(out / 'segmenter.json')
    assert {path.name for path in out.iterdir()} == {
        'segmenter.json',
        *(written['file'] for written in about['files'].values()),
    }
    assert about['checkpoint']['sha256'] == sha256_of_file(checkpoint)
    assert about['config']['path'] == str(config) and about['versions']['opset'] == 18
    assert about['parity']['pictures'] == '4 test images' and about['parity']['batches'] == [1, 3]
    model = build(load_config(config).model)
    expected = torch.cat([scores for _, scores, _ in _at_size(model, config)])
    images = torch.cat([image for image, _, _ in _at_size(model, config)])
    for name, written in about['files'].items():
        path = out / written['file']
        assert written['sha256'] == sha256_of_file(path) and written['bytes'] == path.stat().st_size
        found = FORMATS[name].read(path)(images)
        difference = (found - expected).abs().max().item()
        assert written['largest_difference'] == pytest.approx(difference, abs=2e-6)
        assert written['pixels_decided_otherwise'] == 0

    session = onnxruntime.InferenceSession(out / 'segmenter.onnx')
    for side, (port,) in (('input', session.get_inputs()), ('output', session.get_outputs())):
        said = about[side]
        assert (port.name, port.shape) == (said['name'], said['shape'])
        assert port.type == {'uint8': 'tensor(uint8)', 'float32': 'tensor(float)'}[said['dtype']]
    assert about['input']['shape'] == ['batch', 3, 40, 56] and about['size'] == [40, 56]


def _at_size(model, config):
    """Test images after the pipeline's Resize, in RGB, with scores at that size."""
    cfg = load_config(config)
    with DefaultScope.overwrite_default_scope('mmseg'), torch.no_grad():
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        for i in range(len(dataset)):
            item = dataset[i]
            item['data_samples'].set_metainfo(dict(ori_shape=tuple(item['inputs'].shape[1:])))
            (sample,) = model.test_step(pseudo_collate([item]))
            image = item['inputs'].flip(0)[None]
            yield image, logits_to_scores(sample.seg_logits.data)[None], sample


def test_the_example_of_the_documentation_gives_the_mask_of_the_test(
    exported, tmp_path, monkeypatch
):
    folder, config, _ = exported
    text = (ROOT / 'docs/deployment.md').read_text(encoding='utf-8')
    (example,) = (code for code in re.findall(r'```python\n(.*?)```', text, re.DOTALL)
                  if 'onnxruntime' in code)  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for path, _, mask in ordinarily(build(load_config(config).model), load_config(config)):
        code = example.replace('deploy/', f'{folder}/deploy/').replace('photo.jpg', path)
        exec(compile(code, 'docs/deployment.md', 'exec'), {})
        found = cv2.imread('mask.png', cv2.IMREAD_GRAYSCALE)
        assert found.shape == mask.shape == (50, 64) and mask.any()
        # probabilities are resized instead of logits, and OpenCV decodes
        assert ((found > 0) != (mask > 0).numpy()).mean() < 0.01


def test_a_network_that_counts_its_batch_is_noticed(files, tmp_path):
    model = segmentor()
    model['backbone'] = dict(
        type='SwinTransformer', pretrain_img_size=48, embed_dims=8, depths=[2], num_heads=[1],
        strides=(4,), out_indices=(0,), window_size=4,
    )  # fmt: skip
    paths = files(model)
    with pytest.raises(UserError, match=r'torchscript: scores differ .* --batch-size 1$'):
        export(paths, tmp_path / 'any')
    assert not list((tmp_path / 'any').iterdir())
    about = export(paths, tmp_path / 'one', batch_size=1)
    assert about['input']['shape'] == [1, 3, *SIZE] and about['output']['shape'] == [1, 1, *SIZE]
    assert about['parity']['batches'] == [1]


def test_a_network_that_fails_at_another_batch_is_named(files, tmp_path, monkeypatch):
    whole = EncoderDecoder.encode_decode

    def of_one_size(self, images, metas):
        return whole(self, images.reshape([int(side) for side in images.shape]), metas)

    monkeypatch.setattr(EncoderDecoder, 'encode_decode', of_one_size)
    paths = files()
    message = r'^torchscript cannot be written or run: RuntimeError: .*shape.*; nothing was written'
    with pytest.raises(UserError, match=rf'{message}; some networks .* --batch-size 1$'):
        export(paths, tmp_path / 'any')
    assert not list((tmp_path / 'any').iterdir())
    monkeypatch.setattr('torch.jit.trace', None)
    with pytest.raises(UserError, match=r'cannot be written or run: .*; nothing was written$'):
        export(paths, tmp_path / 'one', batch_size=1)


def test_what_does_not_agree_leaves_an_earlier_export_alone(files, tmp_path):
    paths, out = files(), tmp_path / 'deploy'
    export(paths, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UserError, match=r'which is more than -1; nothing was written'):
        export(paths, out, tolerance=-1)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_new_export_replaces_all_of_an_earlier_one(files, tmp_path):
    out = tmp_path / 'deploy'
    out.mkdir()
    for name in ('segmenter.onnx', 'of_the_user.txt'):
        (out / name).write_text('old')
    export(files(), out)
    assert {path.name for path in out.iterdir()} == {
        'of_the_user.txt', 'segmenter.json', 'segmenter.torchscript.pt'
    }  # fmt: skip


def test_without_test_images_noise_is_compared(tmp_path):
    paths = on_disk(tmp_path, tmp_path / 'nowhere', segmentor())
    with pytest.raises(UserError, match=r'give one with --size'):
        export(paths, tmp_path / 'deploy')
    with pytest.warns(UserWarning, match='test images are not there: noise is compared instead'):
        about = export(paths, tmp_path / 'deploy', size=(24, 40))
    assert about['parity']['pictures'] == 'random noise'
    assert about['size'] == [24, 40] and about['output']['classes'] == ['smoke']
    noise = lay_out([], 2, (24, 40))
    assert torch.equal(noise, lay_out([], 2, (24, 40))) and noise.float().std() > 20


@pytest.mark.parametrize(
    ('name', 'message'),
    [('images/test_2.png', r'test_2\.png.*: image cannot be read'), ('labels.csv', 'no column')],
)
def test_noise_is_no_way_out_of_broken_test_data(tiny_dataset, tmp_path, name, message):
    paths = on_disk(tmp_path, tiny_dataset(), segmentor())
    (tmp_path / 'tiny' / name).write_text('broken')
    for size in (None, SIZE):
        with pytest.raises(UserError, match=message):
            export(paths, tmp_path / 'deploy', size=size)


def test_few_images_are_taken_again_and_resized(files, tmp_path):
    about = export(files(), tmp_path / 'deploy', size=(20, 20), batch_size=6)
    assert about['parity']['pictures'] == '4 test images' and about['parity']['batches'] == [6]


def test_classes_are_those_that_the_checkpoint_learned(files, tmp_path):
    meta = dict(dataset_meta=dict(classes=('background', 'steam')))
    about = export(files(meta=meta), tmp_path / 'deploy')
    assert about['output']['classes'] == ['steam']
    meta = dict(dataset_meta=dict(classes=('a', 'b', 'c', 'd')))
    about = export(files(meta=meta), tmp_path / 'deploy')
    assert about['output']['classes'] == ['class 1']


def test_an_auxiliary_head_is_left_out_and_the_model_keeps_it():
    model = segmentor()
    head = {k: v for k, v in model['decode_head'].items() if k != 'threshold'}
    model['auxiliary_head'] = head
    model = build(model)
    graph = SegmentorGraph(model, SIZE)
    assert not any('auxiliary' in name for name in graph.state_dict())
    assert model.with_auxiliary_head and next(model.parameters()).requires_grad
    assert not graph(pictures(1)).requires_grad and not graph.training


def test_nothing_is_downloaded(files, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError('a download')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', refuse)
    model = segmentor()
    model['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='https://nowhere/a.pth')
    model['decode_head']['init_cfg'] = dict(type='Pretrained', checkpoint='open-mmlab://none')
    model['pretrained'] = 'https://nowhere/b.pth'
    cfg = load_config(on_disk(tmp_path, tmp_path, segmentor())[0])
    cfg.model = model
    assert not build_model(cfg).training
    assert cfg.model.pretrained == 'https://nowhere/b.pth'


def test_without_the_extra_torchscript_remains(files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    paths = files()
    with pytest.raises(UserError, match=r"onnxscript.*pip install 'mmsmoke\[deploy\]'"):
        export(paths, tmp_path / 'deploy', tuple(FORMATS))
    about = export(paths, tmp_path / 'deploy')
    assert list(about['files']) == ['torchscript'] and 'onnx' not in about['versions']


def test_what_cannot_be_exported_is_said(files, tmp_path):
    config, checkpoint = files()

    def refused(match, checkpoint=checkpoint, **options):
        cfg = load_config(config, options=options)
        with pytest.raises(UserError, match=match):
            export_segmentor(cfg, checkpoint, tmp_path / 'deploy', TORCHSCRIPT)
        assert not (tmp_path / 'deploy').exists()

    refused('checkpoint .*none.pth not found', checkpoint=Path('none.pth'))
    refused("mode='slide' cannot be exported", **{'model.test_cfg.mode': 'slide'})
    refused('does not fit .* size mismatch', **{'model.decode_head.channels': 4})
    refused('CAMClassifier is no segmentor', **{'model.type': 'mmsmoke.CAMClassifier'})
    normalize = dict(type='mmcv.Normalize', mean=[0] * 3, std=[1] * 3)
    pipeline = [PIPELINE[0], normalize, *PIPELINE[1:]]
    config, checkpoint = files(pipeline=pipeline)
    refused('test pipeline normalises images', checkpoint=checkpoint)
    weights = torch.load(checkpoint)
    del weights['state_dict']['decode_head.conv_seg.bias']
    torch.save(weights, checkpoint)
    refused('does not fit the model: it has no decode_head.conv_seg.bias', checkpoint=checkpoint)

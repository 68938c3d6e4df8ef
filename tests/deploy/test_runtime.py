"""Exported segmentors on pictures of any size, against SmokeInferencer."""

import numpy as np
import pytest
import torch
from tiny_segmentor import PIPELINE, on_disk, segmentor

from mmsmoke.apis import SmokeInferencer
from mmsmoke.deploy.export import export_segmentor
from mmsmoke.deploy.runtime import ExportedSegmentor
from mmsmoke.engine.launch import load_config
from mmsmoke.utils import UserError

SIDE = 24
KINDS = [(dict(), ('smoke',)), (dict(out_channels=1), ('smoke',)),
         (dict(num_classes=3), ('smoke', 'fire'))]  # fmt: skip


def picture(width=52, height=40):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def exported(tmp_path):
    """Function that exports a segmentor of squares; returns config, checkpoint and folder."""

    def make(model=None, classes=('smoke',), formats=('torchscript',), **options):
        resize = dict(type='mmcv.Resize', scale=(SIDE, SIDE))
        preprocessor = dict(bgr_to_rgb=True)
        network = segmentor(**(model or {}), preprocessor=preprocessor)
        pipeline = [PIPELINE[0], resize, *PIPELINE[1:]]
        paths = on_disk(tmp_path, tmp_path / 'nowhere', network, pipeline, classes)
        with pytest.warns(UserWarning, match='noise is compared'):
            export_segmentor(
                load_config(paths[0]), paths[1], tmp_path / 'deploy', formats,
                (SIDE, SIDE), **options,
            )  # fmt: skip
        return *paths, tmp_path / 'deploy'

    return make


@pytest.mark.parametrize(('model', 'classes'), KINDS, ids=['softmax', 'sigmoid', 'two classes'])
def test_tiles_are_merged_as_those_of_the_model_itself(model, classes, exported):
    config, checkpoint, folder = exported(model, classes)
    tiles = dict(tile=SIDE, overlap=9)
    (expected,) = SmokeInferencer(config, checkpoint, **tiles)(picture(), return_scores=True)
    segmentor = ExportedSegmentor(folder, **tiles, batch_size=4)
    scores = segmentor.scores(picture())
    assert scores.shape == (len(classes), 40, 52) and scores.std() > 0.01
    assert np.allclose(scores.numpy(), expected.scores, atol=1e-4)
    mask = segmentor.decide(scores)
    assert mask.dtype == torch.uint8 and (mask.numpy() != expected.mask).mean() < 0.005


def test_a_file_of_one_batch_is_filled_up(exported):
    _, _, folder = exported(batch_size=2)
    tiles = dict(tile=SIDE, overlap=9)
    assert ExportedSegmentor(folder).batch_size == 2
    tiled = ExportedSegmentor(folder, **tiles).scores(picture())
    small = ExportedSegmentor(folder, **tiles).scores(picture(20, 24))
    assert tiled.shape == (1, 40, 52) and small.shape == (1, 24, 20)
    assert torch.equal(small, ExportedSegmentor(folder).scores(picture(20, 24)))


def test_a_whole_picture_is_stretched_to_the_size_of_the_file(exported):
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason=f'{package} is not installed (extra deploy)')
    config, checkpoint, folder = exported(formats=('torchscript', 'onnx'))
    (expected,) = SmokeInferencer(config, checkpoint)(picture(), return_scores=True)
    by_onnx, other = (ExportedSegmentor(folder, format=name) for name in (None, 'torchscript'))
    scores = by_onnx.scores(picture())
    assert torch.allclose(scores, other.scores(picture()), atol=1e-4)
    # probabilities are resized instead of logits
    assert (by_onnx.decide(scores).numpy() != expected.mask).mean() < 0.05


def test_mistakes_are_named(exported, tmp_path):
    _, _, folder = exported()
    for options, message in (
        (dict(format='onnx'), 'has no file of onnx, but torchscript'),
        (dict(overlap=8), 'overlap is that of tiles'),
        (dict(tile=8, overlap=8), 'less than the tile of 8'),
        (dict(batch_size=0), 'batch_size must be at least 1, got 0'),
    ):
        with pytest.raises(UserError, match=message):
            ExportedSegmentor(folder, **options)
    with pytest.raises(UserError, match=r'must be uint8 \[H, W, 3\] .* got float64'):
        ExportedSegmentor(folder).scores(picture() / 255)
    with pytest.raises(UserError, match=r'segmenter\.json not found'):
        ExportedSegmentor(tmp_path)
    (folder / 'segmenter.torchscript.pt').write_bytes(b'half of it')
    with pytest.raises(UserError, match=r'torchscript\.pt is not the file that segmenter\.json'):
        ExportedSegmentor(folder)
    (folder / 'segmenter.torchscript.pt').unlink()
    with pytest.raises(UserError, match=r'torchscript\.pt is not the file that segmenter\.json'):
        ExportedSegmentor(folder)
    empty = '{"files": {}, "input": {}, "size": [24, 24], "threshold": 0.5}'
    for content in ('{"files": {}}', '[]', empty):
        (folder / 'segmenter.json').write_text(content)
        with pytest.raises(UserError, match=r'segmenter\.json does not describe an export'):
            ExportedSegmentor(folder)

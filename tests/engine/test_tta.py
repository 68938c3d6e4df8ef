"""tools/test.py --tta against a loop that shows a segmentor each view on its own."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from PIL import Image

from mmsmoke.engine.launch import load_config
from mmsmoke.utils import read_json

CONFIG = """
_base_ = 'mmsmoke::segmentors/mlp_r18-s_6e_smokestack-128.py'
load, _, *rest = _base_.test_pipeline  # pictures keep their size
test_dataloader = dict(num_workers=0, dataset=dict(data_root={root!r}, pipeline=[load, *rest]))
tta_pipeline = [load, _base_.tta_pipeline[-1]]
default_scope = 'mmseg'
"""


@pytest.fixture
def segmentor(tmp_path, tiny_dataset):
    """Config, checkpoint and network of a segmentor with random but decided opinions."""
    root = tiny_dataset(size=(64, 48), context=True)
    config = tmp_path / 'segmentor.py'
    config.write_text(CONFIG.format(root=str(root)))
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.manual_seed(1)
        model = MODELS.build(load_config(config).model).eval()
        model.decode_head.conv_seg.weight.data *= 300
        logits = predict(model, cv2.imread(str(root / 'images/test_0.png'))).seg_logits.data
        model.decode_head.conv_seg.bias.data -= logits.flatten(1).median(1).values
        checkpoint = tmp_path / 'segmentor.pth'
        torch.save(dict(state_dict=model.state_dict()), checkpoint)
        yield root, config, checkpoint, model


@torch.no_grad()
def predict(model, picture):
    return model.test_step(dict(inputs=[torch.from_numpy(picture.transpose(2, 0, 1).copy())]))[0]


def mean_of_views(model, picture):
    height, width = picture.shape[:2]
    total = 0
    for scale in (0.75, 1.0, 1.25):
        size = round(width * scale), round(height * scale)
        resized = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        for mirrored in (False, True):
            view = resized[:, ::-1] if mirrored else resized
            logits = torch.nn.functional.interpolate(
                predict(model, view).seg_logits.data[None], (height, width), mode='bilinear'
            )
            probabilities = logits[0].softmax(0)
            total = total + (probabilities.flip(-1) if mirrored else probabilities)
    return total.argmax(0).numpy()


def test_numbers_are_those_of_the_mean_of_all_views(segmentor, tmp_path, load_tool, run_main):
    root, config, checkpoint, model = segmentor
    out = tmp_path / 'result.json'
    arguments = (config, checkpoint, '--work-dir', tmp_path / 'test', '--out', out)
    tool = load_tool('test.py')
    assert run_main(tool.main, *arguments, '--tta', '--splits', 'test')[0] == 0
    result = read_json(out)
    assert result['protocol']['tta'] is True
    run_main(tool.main, *arguments, '--splits', 'test')
    assert set(result['splits']['test']) == set(read_json(out)['splits']['test'])
    ious, plain = [], []
    for i in (0, 2):  # those with smoke
        picture = cv2.imread(str(root / f'images/test_{i}.png'))
        truth = np.asarray(Image.open(root / f'masks/test_{i}.png'))
        alone = predict(model, picture).pred_sem_seg.data[0].numpy()
        for found, values in ((mean_of_views(model, picture), ious), (alone, plain)):
            values.append(
                100 * np.logical_and(found, truth).sum() / np.logical_or(found, truth).sum()
            )
    measured = result['splits']['test']['seg/image_iou']
    assert measured == pytest.approx(np.mean(ious), abs=0.5)
    assert abs(np.mean(plain) - np.mean(ious)) > 1  # views do matter here


def test_a_config_without_views_says_so(segmentor, tmp_path, load_tool, run_main):
    _, config, checkpoint, _ = segmentor
    config.write_text(config.read_text() + 'tta_pipeline = None\n')
    code, _, error = run_main(
        load_tool('test.py').main, config, checkpoint, '--work-dir', tmp_path / 'test', '--tta'
    )
    assert code == 2 and 'has no tta_pipeline' in error


def test_without_the_option_the_result_does_not_mention_it(
    segmentor, tmp_path, load_tool, run_main
):
    _, config, checkpoint, _ = segmentor
    out = tmp_path / 'result.json'
    arguments = (config, checkpoint, '--work-dir', tmp_path / 'test', '--out', out)
    run_main(load_tool('test.py').main, *arguments)
    assert 'tta' not in json.loads(out.read_text())['protocol']

import json

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from PIL import Image

from mmsmoke.datasets.weak_seg import spread_positives
from mmsmoke.engine.launch import load_config
from mmsmoke.functional import cams_to_scores
from mmsmoke.inference.predictor import Predictor
from mmsmoke.reports.sheets import draw_cams
from mmsmoke.utils import UserError
from mmsmoke.visualization import contact_sheet, overlay_mask, overlay_scores

CONFIG = """
_base_ = 'mmsmoke::cam/resnet18-s_12e_smokestack-128.py'
model = dict(views={views})
test_dataloader = dict(dataset=dict(data_root={root!r}))
"""


@pytest.fixture
def results(tmp_path, tiny_dataset):
    """Function that makes an untrained classifier and what tools/test.py would say about it."""
    root = str(tiny_dataset(splits=dict(train=2, test=6), size=(64, 48)))

    def make(name, seed, views=None, threshold=0.4):
        config = tmp_path / f'{name}.py'
        config.write_text(CONFIG.format(views=views, root=root))
        torch.manual_seed(seed)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            model = MODELS.build(load_config(config).model)
        checkpoint = tmp_path / f'{name}.pth'
        torch.save(dict(state_dict=model.state_dict()), checkpoint)
        return dict(
            config=dict(path=str(config)),
            checkpoint=dict(path=str(checkpoint)),
            data_root=root,
            protocol=dict(threshold=threshold),
            splits=dict(test={'cam/threshold': 0.7}),
        )

    return make


def expected_sheet(results, thresholds, indices):
    rows = []
    for index in indices:
        row = []
        for (_, result), threshold in zip(results.items(), thresholds, strict=True):
            predictor = Predictor(result)
            data = predictor.dataset('test')
            sample = predictor(data[index])
            picture = np.asarray(Image.open(sample.img_path))
            palette, truth = data.metainfo['palette'], sample.gt_sem_seg.data[0].numpy()
            if not row:
                row = [picture, overlay_mask(picture, truth.astype(np.uint8), palette)]
            scores = cams_to_scores(sample.cams, picture.shape[:2], normalize=sample.cam_normalize)
            heat = overlay_scores(picture, scores[0].numpy())
            mask = (scores[0] > threshold).numpy().astype(np.uint8)
            row.append(overlay_mask(heat, mask, palette, opacity=0))
        rows.append(row)
    return contact_sheet(rows, ('image', 'truth', *results))


def test_maps_of_each_classifier_with_its_own_normalisation_and_threshold(results, tmp_path):
    chosen = dict(
        plain=results('plain', seed=0),
        irn=results('irn', seed=1, views=dict(recipe='irn')),
        own=results('own', seed=2, threshold=None),  # no split to choose it on: that of the split
    )
    draw_cams(tmp_path / 'sheet.png', chosen, most=2)
    positive = [0, 2, 4]  # bit 0 of i + 1 is set
    expected = expected_sheet(chosen, (0.4, 0.4, 0.7), [positive[0], positive[-1]])
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'sheet.png')), expected)


def test_maps_that_cannot_stand_side_by_side_are_refused(results, tmp_path):
    one = results('plain', seed=0, threshold=None)
    with pytest.raises(UserError, match="one: no threshold of maps is known for 'val'; test it"):
        draw_cams(tmp_path / 'sheet.png', dict(one=one), 'val')
    other = dict(one, data_root='data/other')
    with pytest.raises(UserError, match=r'tested on other images: .*tiny, data/other'):
        draw_cams(tmp_path / 'sheet.png', dict(one=one, other=other))


def test_positives_are_spread_over_the_split(results):
    data = Predictor(results('plain', seed=0)).dataset('test')
    assert spread_positives(data, 2) == [0, 4] and spread_positives(data, 9) == [0, 2, 4]


def test_compare_cams_tool(results, tmp_path, load_tool, monkeypatch, capsys):
    tool = load_tool('analysis/compare_cams.py')
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(results('plain', seed=0)))

    def run(*arguments):
        monkeypatch.setattr('sys.argv', ['compare_cams.py', *map(str, arguments)])
        tool.main()

    def sheet(*arguments):
        run(tmp_path / 'sheet.png', *arguments)
        return np.asarray(Image.open(tmp_path / 'sheet.png'))

    one = sheet(f'first={file}', '--images', 1)
    two = sheet(f'first={file}', f'second={file}', '--images', 1)
    assert one.shape[0] == two.shape[0] and two.shape[1] > one.shape[1]
    assert len(np.unique(one)) > 20
    assert sheet(f'first={file}', '--images', 1, '--width', 64).shape[1] < 0.5 * one.shape[1]
    with pytest.raises(SystemExit):
        run(tmp_path / 'no.png', file)
    assert 'each result is TITLE=FILE' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(tmp_path / 'no.png', f'first={file}', f'first={file}')
    assert 'two results have one title' in capsys.readouterr().err

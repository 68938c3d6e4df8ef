import json
import sys

import pytest

TOY = ('--size', 64, '--images', 2, '--repeats', 1)
VIT = dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48)
NETWORKS = dict(
    cnn=(
        dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
        dict(type='mmsmoke.CAMHead', in_channels=64),
    ),
    vit=(
        dict(type='mmsmoke.ViTWithCLS', arch=VIT, img_size=64, patch_size=8),
        dict(type='mmsmoke.CLSHead', in_channels=24),
    ),
)


@pytest.fixture
def tool(load_tool, monkeypatch):
    tool = load_tool('benchmarks/grad_cam.py')
    monkeypatch.setattr(tool, 'NETWORKS', NETWORKS)
    return tool


def test_table_has_a_row_for_each_network_and_number_of_classes(tool, run_main, tmp_path):
    pytest.importorskip('pytorch_grad_cam')
    out = tmp_path / 'rows.json'
    code, text, _ = run_main(tool.main, *TOY, '--out', out)
    assert code == 0
    rows = json.loads(out.read_text())
    both = [('cnn', 1), ('cnn', 3), ('vit', 1), ('vit', 3)]
    expected = [
        (name, *network) for name in ('GradCAM', 'GradCAMPlusPlus', 'LayerCAM') for network in both
    ]
    expected += [
        (name, 'vit', classes)
        for name in ('AttentionRollout', 'AttentionGradCAM', 'AttentionCAM')
        for classes in (1, 3)
    ]
    assert [(row['read-out'], row['network'], row['classes']) for row in rows] == expected
    for row in rows:
        assert row['size'] == 64 and row['images'] == 2
        assert float(row['largest difference']) <= 1e-3
        assert row['one by one, ms an image'] > 0
        peer = row['pytorch-grad-cam, ms an image']
        assert (peer == '–') == row['read-out'].startswith('Attention')
    assert 'pytorch-grad-cam, ms an image' in text and text.count('| vit') == 12


def test_score_cam_is_measured_where_it_is_asked_for(tool, run_main, tmp_path):
    pytest.importorskip('pytorch_grad_cam')
    out = tmp_path / 'rows.json'
    asked = ('--read-outs', 'ScoreCAM', '--classes', 1, '--out', out)
    code, *_ = run_main(tool.main, *TOY, *asked)
    assert code == 0
    assert [row['network'] for row in json.loads(out.read_text())] == ['cnn', 'vit']


def test_read_outs_of_attention_need_a_transformer(tool, run_main, monkeypatch):
    monkeypatch.setattr(tool, 'NETWORKS', dict(cnn=NETWORKS['cnn']))
    code, _, error = run_main(tool.main, *TOY, '--read-outs', 'AttentionCAM')
    assert code == 2 and 'need a transformer' in error


def test_results_that_differ_are_not_timed(tool, run_main, monkeypatch):
    pytest.importorskip('pytorch_grad_cam')
    monkeypatch.setattr(tool, 'normalize_cams', lambda maps: maps.relu())
    code, text, error = run_main(tool.main, *TOY)
    assert code == 2 and not text
    assert 'cnn, GradCAM: scores differ by' in error


def test_without_the_other_package_the_extra_is_named(tool, run_main, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pytorch_grad_cam', None)
    code, _, error = run_main(tool.main, *TOY)
    assert code == 2 and 'pytorch_grad_cam' in error and "pip install 'mmsmoke[bench]'" in error


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '100'], '--size: must be a multiple of 32'),
        (['--size', '32'], 'from 64 on, not 32'),
        (['--images', '0'], 'at least 1'),
        (['--classes', '3', '0'], 'at least 1'),
        (['--repeats', '0'], 'at least 1'),
        (['--read-outs', 'EigenCAM'], "invalid choice: 'EigenCAM'"),
    ],
)
def test_mistakes_are_named(tool, run_main, arguments, message):
    code, _, error = run_main(tool.main, *arguments)
    assert code == 2 and message in error

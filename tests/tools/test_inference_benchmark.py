import json

import pytest

TOY = ('--images', 3, '--side', 48, '--batch-size', 2, '--repeats', 1)


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/inference.py')


@pytest.fixture
def images(tiny_dataset):
    return tiny_dataset(splits=dict(test=3)) / 'images'


def test_both_ways_are_timed_with_and_without_writing(tool, run_main, images, tmp_path):
    out = tmp_path / 'rows.json'
    code, text, _ = run_main(tool.main, images, *TOY, '--out', out)
    assert code == 0 and 'bare loop, images a second' in text
    rows = json.loads(out.read_text())
    assert [row['writes'] for row in rows] == ['nothing', 'masks'] * len(tool.NETWORKS)
    for row in rows:
        assert row['images'] == 3 and row['size'] == 48
        assert row['pixels alike, %'] >= 99.9


def test_results_that_differ_are_not_reported(tool, run_main, images, monkeypatch):
    monkeypatch.setattr(tool, 'THRESHOLD', 0.9)
    code, text, error = run_main(tool.main, images, *TOY)
    assert code == 2 and not text and 'CAM, ResNet-18: only' in error


def test_mistakes_are_named(tool, run_main, images):
    for arguments, message in (
        (('--repeats', 0), 'must be at least 1'),
        (('--images', 4), 'holds 3 images, 4 are wanted'),
    ):
        code, _, error = run_main(tool.main, images, *arguments)
        assert code == 2 and message in error

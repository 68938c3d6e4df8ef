import json
import sys

import pytest
from tiny_segmentor import on_disk, segmentor


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/export.py')


@pytest.fixture
def toy(tmp_path):
    config, _ = on_disk(tmp_path, tmp_path, segmentor())
    return ('--configs', config, '--size', 16, '--images', 3, '--repeats', 1)


def test_all_ways_are_timed_and_agree(tool, run_main, toy, tmp_path):
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason=f'{package} is not installed (extra deploy)')
    out = tmp_path / 'rows.json'
    code, text, error = run_main(tool.main, *toy, '--out', out)
    assert code == 0 and 'ms an image' in text, error
    rows = json.loads(out.read_text())
    assert [row['run by'] for row in rows] == ['PyTorch', 'TorchScript', 'onnxruntime']
    assert rows[0]['speed'] == 1 and rows[0]['file, MB'] == ''
    for row in rows:
        assert (row['segmenter'], row['size'], row['batch']) == ('segmentor', 16, 3)
        assert float(row['largest difference']) < 1e-3
    assert float(rows[2]['largest difference']) > 0


def test_mistakes_are_named(tool, run_main, toy, monkeypatch):
    code, _, error = run_main(tool.main, *toy, '--repeats', 0)
    assert code == 2 and 'must be at least 1' in error
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    code, _, error = run_main(tool.main, *toy)
    assert code == 2 and "pip install 'mmsmoke[deploy]'" in error

import json

import pytest
from tiny_segmentor import on_disk, segmentor


@pytest.fixture
def tool(load_tool):
    return load_tool('deploy/export.py')


@pytest.fixture
def command(tiny_dataset, tmp_path):
    files = on_disk(tmp_path, tiny_dataset(), segmentor())
    return [*files, '--out', tmp_path / 'deploy', '--formats', 'torchscript']


def test_it_writes_what_it_prints(tool, run_main, command, tmp_path):
    code, text, error = run_main(tool.main, *command, '--size', 24, 32, '--batch-size', 2)
    assert code == 0, error
    about = json.loads((tmp_path / 'deploy/segmenter.json').read_text())
    assert json.loads(text[text.index('{') :]) == about
    assert about['input']['shape'] == [2, 3, 24, 32]
    assert (tmp_path / 'deploy' / about['files']['torchscript']['file']).is_file()
    assert 'Warning' not in error


def test_a_great_difference_is_an_error(tool, run_main, command, tmp_path):
    code, text, error = run_main(tool.main, *command, '--tolerance', -1)
    assert code == 2 and "torchscript: scores differ from PyTorch's by" in error
    assert '{' not in text and not list((tmp_path / 'deploy').iterdir())


@pytest.mark.parametrize('wrong', [('--size', 0, 8), ('--batch-size', 0), ('--batch-size', -1)])
def test_mistakes_are_named(tool, run_main, command, wrong):
    code, _, error = run_main(tool.main, *command, *wrong)
    assert code == 2 and 'size and batch-size must be at least 1' in error

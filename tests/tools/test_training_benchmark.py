import json

import pytest


@pytest.fixture
def tool(load_tool, monkeypatch):
    tool = load_tool('benchmarks/training.py')
    networks = {
        'CNN': 'cam/resnet18-s_12e_weakseg-112.py',
        'ViT': 'crossarch/crossarch-own_r18-s-pcm_vit-xxs_12e_smokestack-64.py',
    }
    monkeypatch.setattr(tool, 'NETWORKS', networks)
    return tool


def test_each_setting_is_compared_with_the_first(tool, run_main, tmp_path):
    out = tmp_path / 'rows.json'
    toy = ('--size', 64, '--batch-size', 2, '--turns', 1, '--out', out)
    code, text, _ = run_main(tool.main, *toy)
    assert code == 0 and 'times the first' in text
    rows = json.loads(out.read_text())
    found = {(row['network'], row['setting']): row for row in rows}
    for network in tool.NETWORKS:
        first = found[network, tool.FIRST]
        assert first['times the first'] == 1 and first['size'] == 64
        assert {name for of, name in found if of == network} >= {
            'channels first', 'bfloat16', 'batches of 4',
        }  # fmt: skip
    assert ('CNN', 'trunk frozen and cached') in found
    assert ('ViT', '8 of 12 blocks frozen') in found
    assert found['CNN', 'batches of 4']['batch size'] == 4


def test_mistakes_are_named(tool, run_main):
    code, _, error = run_main(tool.main, '--turns', 0)
    assert code == 2 and 'must be at least 1' in error

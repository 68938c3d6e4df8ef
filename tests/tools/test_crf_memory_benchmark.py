import importlib.util
import json
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.skipif(
    importlib.util.find_spec('pydensecrf') is None, reason='pydensecrf is not installed'
)
def test_half_resolution_takes_less_memory(tmp_path):
    tool, out = ROOT / 'tools/benchmarks/crf_memory.py', tmp_path / 'rows.json'
    size = ['--width', '480', '--height', '320']
    subprocess.run([sys.executable, tool, *size, '--out', out], check=True, capture_output=True)
    rows = json.loads(out.read_text())
    used = {(row['backend'], row['resolution']): row['GB beyond the start'] for row in rows}
    assert len(used) == 4 and rows[0]['image'] == '480x320'
    assert used['torch', 'full'] > 1.5 * used['torch', 'half'] > 0


def test_where_memory_is_not_known_there_is_one_line(load_tool, run_main, monkeypatch):
    monkeypatch.setitem(sys.modules, 'resource', None)
    code, text, error = run_main(load_tool('benchmarks/crf_memory.py').main)
    assert code == 2 and not text
    assert error == 'error: how much memory a process takes is known on Linux and macOS only\n'


def test_torch_is_not_measured_in_its_place(load_tool, run_main, without_pydensecrf):
    code, text, error = run_main(load_tool('benchmarks/crf_memory.py').main)
    assert code == 2 and not text
    assert error.startswith('error: pydensecrf, which this measures, is not installed')

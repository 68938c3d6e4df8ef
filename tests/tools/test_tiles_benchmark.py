import json
import subprocess
import sys

from conftest import ROOT


def test_both_ways_are_timed_in_processes_of_their_own(tmp_path):
    tool, out = ROOT / 'tools/benchmarks/tiles.py', tmp_path / 'rows.json'
    size = ['--width', '480', '--height', '320', '--tile', '128', '--overlap', '16']
    command = [sys.executable, tool, *size, '--repeats', '1', '--out', out]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 'seconds a frame' in done.stdout
    whole, tiled = json.loads(out.read_text())
    assert (whole['tile'], tiled['tile'], tiled['overlap']) == ('whole', 128, 16)
    assert whole['frame'] == '480x320' and whole['time, of the whole'] == 1
    assert whole['GB beyond the start'] >= 0 < tiled['seconds a frame']


def test_mistakes_are_named(load_tool, run_main, monkeypatch):
    monkeypatch.setitem(sys.modules, 'resource', None)
    monkeypatch.delitem(sys.modules, 'crf_memory', raising=False)
    code, text, error = run_main(load_tool('benchmarks/tiles.py').main)
    assert code == 2 and not text and 'known on Linux and macOS only' in error
    monkeypatch.delitem(sys.modules, 'crf_memory')

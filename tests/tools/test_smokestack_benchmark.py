import json


def test_the_rate_of_drawing_is_measured(load_tool, run_main, tmp_path):
    tool, out = load_tool('benchmarks/smokestack.py'), tmp_path / 'rate.json'
    code, text, _ = run_main(tool.main, '--size', 32, '--count', 2, '--out', out)
    assert code == 0 and text.startswith('2 scenes of 32 x 32 pixels in ')
    rate = json.loads(out.read_text())
    assert list(rate) == ['scenes', 'size', 'seconds', 'scenes per second']
    code, _, error = run_main(tool.main, '--count', 0)
    assert code == 2 and '--count: must be at least 1, not 0' in error

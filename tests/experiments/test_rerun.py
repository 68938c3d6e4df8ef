import copy
import json
from pathlib import Path

import pytest

from mmsmoke.experiments import rerun as module
from mmsmoke.experiments.rerun import rerun
from mmsmoke.utils import UserError, write_json

RESULT = Path(__file__).parents[2] / 'docs/results/tiny.json'


def test_a_committed_result_comes_out_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = rerun(RESULT, 'cnn_pcm')
    assert rows[0]['column'] == 'energy on chimneys'
    # other processors round differently
    assert max(row['difference'] for row in rows) <= 0.5
    assert len({row['now'] for row in rows}) > 3


@pytest.fixture
def again(monkeypatch):
    """What the sweep gives now, to be changed by a test."""
    result = json.loads(RESULT.read_text())
    again = copy.deepcopy(result)
    asked = {}

    def run_sweep(file, work_dir, **choice):
        assert not Path(work_dir).exists()  # a finished run there would be taken for the rerun
        asked.update(choice)
        return again

    monkeypatch.setattr(module, 'run_sweep', run_sweep)
    return again, asked


def test_other_numbers_are_found(again, load_tool, run_main):
    result, asked = again
    assert max(row['difference'] for row in rerun(RESULT, 'global_cosine')) == 0
    assert asked['variants'] == ['global_cosine'] and asked['seeds'] == [0]
    main = load_tool('analysis/rerun.py').main
    code, out, _ = run_main(main, RESULT, '--variant', 'global_cosine')
    assert code == 0 and 'the same: at most 0.000' in out
    changed = next(run for run in result['runs'] if run['variant'] == 'global_cosine')
    changed['splits']['test']['companion/energy'] += 0.75
    code, out, _ = run_main(main, RESULT, '--variant', 'global_cosine')
    assert code == 1 and 'DIFFERENT: at most 0.750' in out
    assert run_main(main, RESULT, '--variant', 'global_cosine', '--tolerance', 1)[0] == 0
    del changed['splits']['test']['companion/energy']
    assert run_main(main, RESULT, '--variant', 'global_cosine', '--tolerance', 99)[0] == 1


def test_a_run_is_done_again_at_its_scale(again, tmp_path):
    result, asked = again
    write_json(tmp_path / 'large.json', {**result, 'scale': '224'})
    rerun(tmp_path / 'large.json')
    assert asked['scale'] == '224'


def test_mistakes_are_named(again, tmp_path):
    with pytest.raises(UserError, match='no run of vit, seed None; there are cnn_pcm, global_c'):
        rerun(RESULT, 'vit')
    other = tmp_path / 'other.json'
    other.write_text('{"size": 3}')
    with pytest.raises(UserError, match=r'nothing\.json not found'):
        rerun('nothing.json')
    with pytest.raises(UserError, match=r'other\.json is no result of tools/sweep\.py'):
        rerun(other)

import multiprocessing

import pytest

from mmsmoke.apis.stages import begin, exclusive, run_tool
from mmsmoke.utils import UserError, write_json


def test_a_step_is_open_until_it_has_results(tmp_path):
    folder, settings = tmp_path / 'step', dict(lr=0.1, splits=('val', 'test'))
    assert begin(folder, settings) is None
    assert begin(folder, settings) is None
    write_json(folder / 'results.json', dict(answer=42))
    assert begin(folder, settings) == dict(answer=42)


def test_other_settings_put_the_folder_aside_and_say_what_changed(tmp_path, capsys):
    folder = tmp_path / 'step'
    begin(folder, dict(model=dict(depth=18)))
    (folder / 'work.pth').write_text('kept')
    assert begin(folder, dict(model=dict(depth=50))) is None
    assert 'model.depth: 18 -> 50' in capsys.readouterr().out
    assert (tmp_path / 'step.old-1/work.pth').read_text() == 'kept'
    begin(folder, dict(model=dict(depth=101)))
    assert (tmp_path / 'step.old-2').is_dir()


def _hold(folder, ready, done):
    with exclusive(folder):
        ready.set()
        done.wait()


def test_two_runs_cannot_share_a_folder(tmp_path):
    context = multiprocessing.get_context('spawn')
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    ready.wait()
    with pytest.raises(UserError, match='another run is at work'), exclusive(tmp_path):
        pass
    other.kill()
    other.join()
    with exclusive(tmp_path):
        pass


def test_a_failing_tool_shows_the_end_of_its_output_and_names_the_log(tmp_path, capfd):
    log = tmp_path / 'train.log'
    with pytest.raises(UserError, match=f'exit code 2.*{log}'):
        run_tool('train.py', tmp_path / 'missing.py', log=log)
    assert 'missing.py not found' in capfd.readouterr().out
    assert 'missing.py not found' in log.read_text()

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from conftest import ROOT

from mmsmoke.utils import DataError
from mmsmoke.utils.cli import user_errors_as_text


@pytest.mark.parametrize(
    'raised, code, text',
    [
        (DataError('a.jpg is broken'), 2, 'error: a.jpg is broken'),
        (KeyboardInterrupt(), 130, 'stopped'),
    ],
)
def test_what_the_user_can_mend_is_one_line(run_main, raised, code, text):
    @user_errors_as_text
    def main():
        raise raised

    assert run_main(main) == (code, '', f'{text}\n')


def test_a_tool_leaves_its_process_group_before_python_shuts_down(run_main, tmp_path):
    @user_errors_as_text
    def main():
        torch.distributed.init_process_group(
            'gloo', init_method=f'file://{tmp_path}/meeting', rank=0, world_size=1
        )

    assert run_main(main)[0] == 0
    assert not torch.distributed.is_initialized()


def test_ctrl_c_stops_a_converter_and_its_processes_in_one_line(tmp_path):
    tool = ROOT / 'tools/dataset_converters/smokestack.py'
    command = [sys.executable, tool, tmp_path / 'out', '--size', '512', '--workers', '2']
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )  # fmt: skip
    for _ in range(600):
        if len(list((tmp_path / 'out').rglob('images/train/*.png'))) > 2:
            break
        time.sleep(0.1)
    # as a terminal does: to all processes of the group
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=120)
    assert run.returncode == 130 and error.splitlines()[-1] == 'stopped'
    assert 'Traceback' not in error
    assert not (tmp_path / 'out/labels.csv').exists()

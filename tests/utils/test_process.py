import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import os, subprocess, sys, time
from functools import partial
from mmsmoke.utils.process import die_with_parent
child = subprocess.Popen(['sleep', '60'], preexec_fn=partial(die_with_parent, os.getpid()))
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='the kernel of Linux does it')
def test_a_child_does_not_outlive_a_killed_parent():
    parent = subprocess.Popen([sys.executable, '-c', PARENT], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert os.path.exists(f'/proc/{child}')
    parent.kill()
    parent.wait()
    for _ in range(100):
        try:
            state = Path(f'/proc/{child}/stat').read_text().split()[2]
        except FileNotFoundError:
            return
        if state == 'Z':
            return
        time.sleep(0.05)
    raise AssertionError('the child lives on')


POOL = """
import multiprocessing
from mmsmoke.utils.process import process_pool
if __name__ == '__main__':
    multiprocessing.set_start_method('forkserver')
    with process_pool(2) as pool:
        print(list(pool.map(abs, [-1, 2])))
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere processes are not forked')
def test_a_pool_works_where_forkserver_is_the_default_as_on_python_3_14(tmp_path):
    file = tmp_path / 'pool.py'
    file.write_text(POOL)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert done.stdout == '[1, 2]\n', done.stderr


FAULTS = """
import resource, sys, torch
from mmsmoke.utils.process import keep_freed_memory
if sys.argv[1] == 'kept':
    keep_freed_memory()
for turn in range(20):
    if turn == 15:  # the heap has grown by then
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc does it')
def test_memory_that_is_kept_is_not_asked_of_the_system_again():
    faults = {
        how: int(subprocess.check_output([sys.executable, '-c', FAULTS, how], text=True))
        for how in ('kept', 'freed')
    }
    assert faults['kept'] < faults['freed'] / 10, faults

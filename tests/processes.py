import os
import socket
import subprocess
import sys

from conftest import ROOT


def run(*command, ok: bool = True, **env) -> subprocess.CompletedProcess:
    """Run a command as a user types it; check whether it succeeds.

    One that starts several processes finds a free port in PORT, by which they meet.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, 'PORT': port, **env},
    )  # fmt: skip
    assert (done.returncode == 0) == ok, done.stdout[-2000:] + done.stderr[-4000:]
    return done

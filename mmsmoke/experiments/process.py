"""Run the function of a step in a process of its own, and bring back what it returns."""

import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import UserError, plain, write_json

from .screen import say
from .step import CONFIG

CALL, RETURNED = 'call.json', 'returned.json'
_WORTH_SHOWING = re.compile(
    r'Epoch\(|Iter\(|best so far|WARNING|ERROR|error:|Traceback|images are done'
)


def write_call(folder: Path, kind: str, arguments: Mapping) -> None:
    """Write down what a process shall do: the config as a file of its own, for the reader, too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RETURNED).unlink(missing_ok=True)
    settings = dict(arguments)
    for key, value in arguments.items():
        if isinstance(value, Config):
            value.dump(str(folder / CONFIG))
            settings[key] = str(folder / CONFIG)
    write_json(folder / CALL, dict(kind=kind, arguments=plain(settings)))


def run_call(
    folder: Path,
    gpus: int = 1,
    devices: Sequence[int] | None = None,
    started: Callable[[subprocess.Popen], None] = lambda process: None,
) -> dict:
    """Do in a process what is written down in a folder; return what its function returned.

    Its output goes to ``KIND.log``, lines that report progress to the screen, too. It ends with
    this process, however that ends.

    Args:
        gpus: processes, with a GPU each.
        devices: GPUs that it may see, if not all, by their numbers among those that we see.
        started: called with the process when it runs.
    """
    kind = json.loads((folder / CALL).read_text())['kind']
    log = folder / f'{kind}.log'
    command = [sys.executable, '-m', f'{__package__}.child', folder, os.getpid(), gpus]
    env = dict(os.environ)
    if devices is not None:
        seen = os.environ.get('CUDA_VISIBLE_DEVICES', '')
        names = [name.strip() for name in seen.split(',')] if seen else range(max(devices) + 1)
        env['CUDA_VISIBLE_DEVICES'] = ','.join(str(names[device]) for device in devices)
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with subprocess.Popen(list(map(str, command)), **pipes, env=env) as process:
        started(process)
        tail = _show(process, log)
    if process.returncode:
        for line in tail:
            say(line)
        raise UserError(
            f'{kind} failed with exit code {process.returncode}; all of its output is in {log}'
        )
    return json.loads((folder / RETURNED).read_text())


def _show(process: subprocess.Popen, log: Path) -> Iterable[str]:
    """Copy the output into the log, show progress; return the last lines."""
    tail = deque(maxlen=15)
    with open(log, 'a', encoding='utf-8') as file:
        for raw in process.stdout:
            line = raw.decode(errors='replace')
            file.write(line)
            file.flush()
            text = re.sub(r'^\S+ \S+ - mmengine - INFO - ', '', line.rstrip())
            if _WORTH_SHOWING.search(text):
                say(f'  {text}')
            tail.append(f'  {text}')
    return tail

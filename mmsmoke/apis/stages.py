"""Runs the tools as steps that are done once: finished ones are kept, half-done ones go on."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from mmengine.config import Config

import mmsmoke
from mmsmoke.engine import best_checkpoint
from mmsmoke.utils import (
    UserError,
    checkpoint_hashes,
    differences,
    mappings,
    plain,
    sha256_of_file,
    sha256_of_folder,
    write_json,
)
from mmsmoke.utils.locks import Busy, exclusive
from mmsmoke.utils.process import die_with_parent

from .evaluate import masks_hash, masks_hash_of

Key = TypeVar('Key', bound=Hashable)
TOOLS = Path(mmsmoke.__file__).parent / '.mim' / 'tools'
RESULTS, DETAILS = 'results.json', 'details.json'
_WORTH_SHOWING = re.compile(
    r'Epoch\(|Iter\(|best so far|WARNING|ERROR|error:|Traceback|images are done'
)


def take_turns(
    todo: Mapping[Key, Collection[Key]], locks: Path, named: Callable[[Key], str]
) -> Iterator[Key]:
    """Yields each piece of work once, when those that it needs are done.

    Several processes with the same folder of locks share the work: each is yielded what no other
    is at. What another one has finished is yielded, too; whoever does it finds it done.

    Args:
        todo: pieces of work -> those that they need.
        named: what a piece is called, on disk and on the screen.
    """
    done, elsewhere = set(), set()
    while len(done) < len(todo):
        before, busy = len(done), False
        for key, needed in todo.items():
            if key in done or not done.issuperset(needed):
                continue
            try:
                with exclusive(locks / named(key)):
                    yield key
                done.add(key)
            except Busy:
                busy = True
                if key not in elsewhere:
                    say(f'\n== {named(key)}: another process is at it')
                    elsewhere.add(key)
        if len(done) == before:
            if not busy:
                left = ', '.join(named(key) for key in todo if key not in done)
                raise UserError(f'{left} need each other in a circle')
            time.sleep(5)


def begin(folder: Path, settings: dict) -> dict | None:
    """Opens the folder of a step; returns its results if it was finished with these settings.

    A folder that was begun with other settings is put aside, and what changed is said.
    """
    settings, path = plain(settings), folder / 'settings.json'
    if path.is_file():
        changed = differences(json.loads(path.read_text()), settings)
        if changed:
            aside = _free_name(folder)
            say(f'{folder}: settings changed ({"; ".join(changed[:3])}): it runs again')
            say(f'what was there is kept as {aside}')
            folder.rename(aside)
    if not path.is_file():
        write_json(path, settings)
    results = folder / RESULTS
    return json.loads(results.read_text()) if results.is_file() else None


def _free_name(folder: Path) -> Path:
    number = 1
    while (aside := folder.with_name(f'{folder.name}.old-{number}')).exists():
        number += 1
    return aside


def train_and_test(
    cfg: Config,
    folder: Path,
    splits: Sequence[str],
    threshold_split: str | None = None,
    checkpoint: str | Path | None = None,
) -> dict:
    """Train the model of a config into ``folder`` and test its best checkpoint.

    Args:
        checkpoint: tested instead of training.

    Returns:
        The result that tools/test.py writes; see :func:`mmsmoke.apis.evaluate.evaluate_splits`.
    """
    settings = dict(
        config=cfg.to_dict(),
        splits=list(splits),
        threshold_split=threshold_split,
    )
    if checkpoint is None:
        settings['inputs'] = input_hashes(cfg)
    else:
        settings['checkpoint'] = sha256_of_file(checkpoint)
    done = begin(folder, settings)
    if done and done.get('masks_sha256') == masks_hash_of(cfg, splits, threshold_split):
        say(f'{folder} is finished')
        return done
    config = write_config(cfg, folder)
    if done:
        say(f'{folder} is tested again: its result may be of other true masks')
    elif checkpoint is None:
        run_tool('train.py', config, '--work-dir', folder, '--resume', log=folder / 'train.log')
    tested = checkpoint or best_checkpoint(folder)
    return run_test(config, tested, folder, splits, threshold_split)


def run_test(
    config: Path,
    checkpoint: str | Path,
    folder: Path,
    splits: Sequence[str],
    threshold_split: str | None = None,
) -> dict:
    """Tests a checkpoint on several splits; returns the result, which is kept in ``folder``."""
    chosen = ['--threshold-split', threshold_split] if threshold_split else []
    run_tool(
        *('test.py', config, checkpoint, '--work-dir', folder / 'test'),
        *('--out', folder / RESULTS, '--details', folder / DETAILS, '--splits', *splits, *chosen),
        log=folder / 'test.log',
    )
    return json.loads((folder / RESULTS).read_text())


def input_hashes(cfg: Config) -> dict[str, str]:
    """Of labels, masks, validated ones, too, and checkpoints: if they change, it is another run.

    Of pseudo masks it is that of their manifest.
    """
    nodes = list(mappings(cfg.train_dataloader.dataset))
    files = [Path(node['data_root']) / 'labels.csv' for node in nodes if node.get('data_root')]
    hashes = {}
    for node in nodes:
        if not node.get('seg_map_dir'):
            continue
        masks = Path(node['seg_map_dir'].replace('{data_root}', str(node.get('data_root'))))
        manifest = masks.parent / 'manifest.json'
        if manifest.is_file():
            files.append(manifest)
        else:  # true masks
            hashes[str(masks)] = sha256_of_folder(masks)
    hashes |= {str(file): sha256_of_file(file) for file in files if file.is_file()}
    if cfg.get('val_dataloader') is not None:
        hashes['masks validated on'] = masks_hash(cfg, cfg.val_dataloader.dataset)
    return hashes | checkpoint_hashes(cfg.model)


def label_settings(cfg: Config, checkpoint: str, splits: Sequence[str]) -> dict:
    """All that decides what a run over test data makes: its config, the content of what it reads.

    Args:
        checkpoint: hash of the classifier's.
        splits: all that it labels or chooses a threshold on.
    """
    return dict(
        config=cfg.to_dict(),
        checkpoint=checkpoint,
        refiners=checkpoint_hashes(cfg.get('custom_hooks', [])),
        labels=sha256_of_file(Path(cfg.test_dataloader.dataset.data_root) / 'labels.csv'),
        masks=masks_hash_of(cfg, splits),
    )


def write_config(cfg: Config, folder: Path) -> Path:
    """The config of a step with all changes applied, for the tools and for the reader."""
    path = folder / 'config.py'
    folder.mkdir(parents=True, exist_ok=True)
    cfg.dump(str(path))
    return path


def run_tool(name: str, *arguments, log: Path | None = None) -> None:
    """Runs one of the project's tools as a user would, in a process that ends with this one.

    Args:
        log: keeps the whole output there and shows the lines that report progress; without it
            the tool writes to the terminal itself.
    """
    command = [sys.executable, str(TOOLS / name), *map(str, arguments)]
    say('$ ' + ' '.join(['python', f'tools/{name}', *map(str, arguments)]))
    output = None if log is None else subprocess.PIPE
    with subprocess.Popen(
        command,
        stdout=output,
        stderr=output and subprocess.STDOUT,
        preexec_fn=partial(die_with_parent, os.getpid()),
    ) as process:
        tail = [] if log is None else _show(process, log)
    if process.returncode:
        for line in tail:
            say(line)
        where = f'; all of its output is in {log}' if log else ''
        raise UserError(f'tools/{name} failed with exit code {process.returncode}{where}')


def _show(process: subprocess.Popen, log: Path, most: int = 15) -> list[str]:
    """Copies the output into the log, shows progress; returns the last lines."""
    tail = []
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'a', encoding='utf-8') as file:
        for raw in process.stdout:
            line = raw.decode(errors='replace')
            file.write(line)
            file.flush()
            text = re.sub(r'^\S+ \S+ - mmengine - INFO - ', '', line.rstrip())
            if _WORTH_SHOWING.search(text):
                say(f'  {text}')
            tail = [*tail[1 - most :], f'  {text}']
    return tail


def say(text: str) -> None:
    print(text, flush=True)

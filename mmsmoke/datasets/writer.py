"""Writes data sets in the standard layout, in parallel, and goes on where it was interrupted."""

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path

from mmsmoke.utils import DataError, UserError, atomic_path, plain, write_json
from mmsmoke.utils.process import cores, process_pool
from mmsmoke.utils.progress import progress

from .labels import label_of
from .table import MOST_COLUMNS, TABLE, lies_inside, mask_name_of

RECORD = 'source.json'
FOLDERS = ('images', 'masks', 'context')


@dataclass(frozen=True)
class Task:
    """Describe what is made of one source file.

    Attributes:
        source: what to call it in messages.
        rows: of labels.csv; each has at least ``image`` and ``split``.
        make: writes the files of all rows below the folder that it is given. It runs in another
            process, so it must be picklable, and raises DataError if the source cannot be used.
        folders: in which each row has a file.
    """

    source: str
    rows: Sequence[Mapping]
    make: Callable[[Path], None]
    folders: Sequence[str] = ('images',)

    def files(self) -> Iterator[str]:
        for row in self.rows:
            for folder in self.folders:
                is_image = folder == 'images'
                yield row['image'] if is_image else f'{folder}/{mask_name_of(row["image"])}'


@dataclass
class Written:
    """Hold what :func:`write_dataset` did: all rows of the data set, and problems, a line each."""

    rows: list[Mapping] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    images: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Return the images written per second."""
        return self.images / self.seconds if self.images else 0.0


def write_dataset(
    root: str | os.PathLike,
    tasks: Sequence[Task],
    record: Mapping,
    workers: int | None = None,
    overwrite: bool = False,
    skip_broken: bool = False,
) -> Written:
    """Does all tasks whose files are not there yet, then writes labels.csv.

    Args:
        record: what decides the files, kept in ``source.json``; another run with other values is
            refused.
        workers: processes; None for one per core. The files do not depend on it.
        overwrite: remove what an earlier run wrote.
        skip_broken: leave out sources that cannot be used; otherwise labels.csv is not written
            if there are any.

    Raises:
        UserError: ``root`` holds something else, or was made with other values.
    """
    refuse_before(root, tasks, record, workers, overwrite)
    root, record = Path(root), plain(record)
    if overwrite:
        (root / TABLE).unlink(missing_ok=True)
        for folder in FOLDERS:
            shutil.rmtree(root / folder, ignore_errors=True)
    pending = [task for task in tasks if not all((root / name).exists() for name in task.files())]
    if pending:
        (root / TABLE).unlink(missing_ok=True)  # it is there only when all it names is
        write_json(root / RECORD, {**record, 'complete': False})
        for leftover in root.rglob('.*.tmp*'):
            leftover.unlink()
    written, broken = Written(), set()
    started = time.perf_counter()
    images = sum(len(task.rows) for task in pending)
    with progress(total=images, text=root.name, unit='img') as bar:
        for index, problem in _work(pending, root, workers or cores()):
            task = pending[index]
            bar.update(len(task.rows))
            if problem is None:
                written.images += len(task.rows)
            else:
                broken.add(task.source)
                written.problems.append(problem)
    written.seconds = time.perf_counter() - started
    written.problems.sort()
    written.rows = [row for task in tasks if task.source not in broken for row in task.rows]
    if written.rows and (skip_broken or not broken):
        _write_if_new(root / TABLE, _csv_text(written.rows))
        _write_if_new(root / RECORD, json.dumps({**record, 'complete': True}, indent=1) + '\n')
    return written


def count_table(rows: Sequence[Mapping], classes: Sequence[str] = ('smoke',)) -> tuple:
    """Return header and lines: images of each split, with each class and without any.

    If rows have a ``group``, also the number of groups.
    """
    grouped = any('group' in row for row in rows)
    lines = []
    for split in dict.fromkeys(row['split'] for row in rows):
        chosen = [row for row in rows if row['split'] == split]
        counts = [sum(label_of(row[name]) for row in chosen) for name in classes]
        clear = sum(not any(label_of(row[name]) for name in classes) for row in chosen)
        groups = [len({row['group'] for row in chosen})] if grouped else []
        lines.append([split, len(chosen), *counts, clear, *groups])
    return ['split', 'images', *classes, 'clear', *(['groups'] if grouped else [])], lines


def narrow_tables(header: Sequence[str], lines: list[list], classes: Sequence[str]) -> list[tuple]:
    """Return a table of splits or, for many classes, two that are not as wide.

    The second one has a line for each class.
    """
    if len(classes) <= MOST_COLUMNS:
        return [(header, lines)]
    keep = [k for k, name in enumerate(header) if name not in classes]
    narrow = [header[k] for k in keep], [[line[k] for k in keep] for line in lines]
    by_class = [
        [name, *(line[k] for line in lines)] for k, name in enumerate(header) if k not in keep
    ]
    return [narrow, (['class', *(line[0] for line in lines)], by_class)]


def classes_of(root: str | os.PathLike) -> list[str]:
    """Return the classes that a converter noted in ``source.json``; by default smoke alone."""
    try:
        return json.loads((Path(root) / RECORD).read_text())['classes']
    except (OSError, ValueError, KeyError, TypeError):
        return ['smoke']


def _check_names(tasks: Sequence[Task]) -> None:
    """Raise for images that would lie outside of the data set, and for two that share a mask."""
    first = {}
    for task in tasks:
        for row in task.rows:
            if not lies_inside(row['image']):
                raise DataError(f'{task.source} has the name of no image: {row["image"]}')
            mask = mask_name_of(row['image'])
            if mask in first:
                raise DataError(
                    f'{task.source} and {first[mask]} would share the mask {mask}; rename one'
                )
            first[mask] = task.source


def refuse_before(
    root: str | os.PathLike,
    tasks: Sequence[Task],
    record: Mapping,
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """Raises what :func:`write_dataset` would, before it writes anything."""
    if workers is not None and workers < 1:
        raise UserError(f'workers must be at least 1, not {workers}')
    _check_names(tasks)
    root, path = Path(root), Path(root) / RECORD
    if not path.exists():
        if root.is_file() or (root.exists() and any(p.name[0] != '.' for p in root.iterdir())):
            raise UserError(f'{root} holds something else; choose another folder')
        return
    if overwrite:
        return
    try:
        earlier = dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise UserError(f'{path} cannot be read; pass --overwrite to start anew') from error
    record = plain(record)
    for name in dict.fromkeys([*record, *earlier]):
        old, new = earlier.get(name), record.get(name)
        # what a record does not name, there is none of
        if name != 'complete' and (old or 0) != (new or 0):
            raise UserError(
                f'{root} was made with {name} {old}, not {new}; '
                'choose another folder or pass --overwrite'
            )


def _work(tasks: Sequence[Task], root: Path, workers: int) -> Iterator[tuple[int, str | None]]:
    """Yield the number of each task once it is done, and what was wrong with its source."""
    if min(workers, len(tasks)) <= 1:
        for index, task in enumerate(tasks):
            yield index, _make(task, root)
        return
    with process_pool(workers) as pool:
        try:
            jobs = {pool.submit(_make, task, root): index for index, task in enumerate(tasks)}
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _make(task: Task, root: Path) -> str | None:
    try:
        task.make(root)
    except DataError as error:
        return str(error)
    return None


def _csv_text(rows: Sequence[Mapping]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval='', lineterminator='\n')
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _write_if_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_bytes() != text.encode():
        with atomic_path(path) as temporary:
            temporary.write_bytes(text.encode())

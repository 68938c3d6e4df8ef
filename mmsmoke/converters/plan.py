"""Say what will become of a download before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmsmoke.datasets.writer import Task
from mmsmoke.utils import DataError, UserError, read_json


@dataclass(frozen=True)
class Missing:
    """Name a file of the original that is not there, and where to get it."""

    path: Path
    url: str


@dataclass
class Plan:
    """Hold what will become of a download.

    Attributes:
        splits: those in which there should be images.
        broken: sources that cannot be used, one line each.
        notes: lines for the summary.
        source: a checksum of what the labels stem from.
    """

    tasks: list[Task] = field(default_factory=list)
    classes: Sequence[str] = ('smoke',)
    splits: Sequence[str] = ('train', 'val', 'test')
    missing: list[Missing] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    source: str = ''

    @property
    def rows(self) -> list[Mapping]:
        return [row for task in self.tasks for row in task.rows]


def read_records(path: Path, keys: Sequence[str], fetch: str) -> list[dict]:
    """Read a JSON list of objects, or one under the key ``data``, each of which has these keys.

    Args:
        fetch: where to get the file.
    """
    if not path.is_file():
        raise UserError(f'{path} not found. {fetch}')
    content = read_json(path)
    records = content.get('data') if isinstance(content, dict) else content
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise DataError(f'{path} is not a list of records. {fetch}')
    for number, one in enumerate(records, 1):
        for key in keys:
            if key not in one:
                raise DataError(f'{path}: record {number} has no {key!r}')
    return records


def classes_nobody_shows(rows: Sequence[Mapping], classes: Sequence[str]) -> list[str]:
    """Name the classes that no training image has; no classifier could learn them."""
    train = [row for row in rows if row['split'] == 'train']
    lost = [name for name in classes if not any(row[name] for row in train)]
    return [f'no image of train shows {", ".join(lost)}: is the download whole?'] if lost else []

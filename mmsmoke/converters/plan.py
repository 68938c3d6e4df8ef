"""Says what will become of a download before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmsmoke.datasets.writer import Task


@dataclass(frozen=True)
class Missing:
    """A file of the original that is not there: where it should lie, and where to get it."""

    path: Path
    url: str


@dataclass
class Plan:
    """What will become of a download.

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

"""Keep the labels of a folder's pictures in labels.csv, whoever else writes there."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from threading import RLock

from mmsmoke.datasets.labels import label_of
from mmsmoke.datasets.splitting import split_groups
from mmsmoke.datasets.table import TABLE, Row, group_of, read_cells
from mmsmoke.utils import DataError, atomic_path

from .locks import alone
from .pictures import camera_of, grouping

SHARES = dict(train=0.6, val=0.2, test=0.2)
Labels = list[int | None]
_ANY = object()


def names_in(root: Path) -> list[str]:
    """Return the pictures that labels.csv names, if there is one."""
    if not (root / TABLE).exists():
        return []
    header, lines = read_cells(root, ())
    column = header.index('image')
    return [_plain(cells[column]) for _, cells in lines if len(cells) > column and cells[column]]


def _plain(name: str) -> str:
    return str(PurePosixPath(name))


class LabelTable:
    """Read and change labels.csv; each change is on the disk, as a whole, when it returns.

    Whatever others have written meanwhile is read before: of one picture the newest label counts,
    and nothing is lost of the others. A picture without a label has no row, unless somebody else
    gave it one. Columns that are not known here stay as they are.

    Args:
        classes: columns that are classes; one that the table lacks is added.
        names: of all pictures that may get a label.
        shares: split -> its part of the pictures that have no split yet; whole groups go to one,
            with others of their group where these have a split.
        pattern: tells groups; see :func:`grouping`.

    Attributes:
        labels: name -> label of each class, or None where it has none.
        version: grows with each change, whoever made it.
        split_of: the split that each picture has or would get.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        classes: Sequence[str],
        names: Sequence[str],
        shares: Mapping[str, float] = SHARES,
        pattern: str | None = None,
    ):
        self.root, self.classes, self.names = Path(root), list(classes), list(names)
        group = grouping(pattern)
        self.groups = {name: group(name) for name in names}
        self.labels: dict[str, Labels | None] = dict.fromkeys(names)
        self.version, self._changed, self._ours = 0, {}, set()
        self._guard = RLock()
        self._signature: tuple | object | None = _ANY
        self.refresh()
        groups = list(self.groups.values())
        dealt = split_groups(groups, [0] * len(groups), shares, known=self._splits)
        self.split_of = dict(zip(self.names, dealt, strict=True))
        for name in names:
            self.split_of[name] = self._own_split.get(name) or self.split_of[name]

    def refresh(self) -> None:
        """Read the table again if it is another than the one that was read last."""
        with self._guard:
            signature = self._sign()
            if signature != self._signature:
                self._read(signature)

    def changes(self, since: int) -> dict[str, Labels | None]:
        """Return the pictures whose labels have changed after a version, by anybody."""
        with self._guard:
            changed = [name for name, when in self._changed.items() if when > since]
            return {name: self.labels[name] for name in changed}

    def set(self, name: str, labels: Sequence[int | None] | None, only_if: object = _ANY) -> bool:
        """Give a picture its labels, of which some may be unknown; or take all away with None.

        Args:
            only_if: leave it as it is, and return False, unless these are its labels now.
        """
        with self._guard, alone(self.root / TABLE):
            self.refresh()
            if only_if is not _ANY and self.labels[name] != only_if:
                return False
            lines = self._with(name, labels)
            self._write(lines)
            more = len(lines) - len(self._lines)
            self._lines, self._signature = lines, self._sign()
            if more > 0:
                self._ours.add(name)
                self._places[name] = [len(lines) - 1]
            elif more < 0:
                self._index()
            self._take([name])
            return True

    def row_of(self, name: str) -> Row:
        """Return the row of a picture, or one with what its name tells in the table's columns."""
        with self._guard:
            places = self._places.get(name)
            cells = self._lines[places[0]] if places else self._new(name)
            columns = dict(zip(self._header, cells, strict=True))
            return Row(0, name, columns['split'], (), columns)

    def view_columns(self) -> list[str]:
        """Return the columns that tell camera views apart, as far as there is something in them."""
        with self._guard:
            rows = [self.row_of(name).columns for name in self.names]
            found = [name for name in ('camera', 'view') if name in self._header]
            return [name for name in found if any(row[name] for row in rows)]

    def _sign(self) -> tuple | None:
        try:
            stat = os.stat(self.root / TABLE)
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self, signature: tuple | None) -> None:
        if signature is None:
            header, lines = ['image', 'split', *self.classes, 'camera', 'group'], []
        else:
            header, numbered = read_cells(self.root, ())
            for number, cells in numbered:
                if len(cells) < len(header) or any(cells[len(header) :]):
                    raise DataError(
                        f'{self.root / TABLE} row {number} has {len(cells)} cells for '
                        f'{len(header)} columns; mend it first'
                    )
            lines = [cells[: len(header)] for _, cells in numbered]
        missing = [name for name in self.classes if name not in header]
        self._header = header + missing
        self._lines = [cells + [''] * len(missing) for cells in lines]
        self._signature = signature
        self._index()
        self._splits: dict[str, str] = {}  # of groups
        self._own_split: dict[str, str] = {}
        for name, places in self._places.items():
            columns = dict(zip(self._header, self._lines[places[0]], strict=True))
            self._own_split[name] = columns['split']
            for group in (self.groups.get(name), group_of(columns, '')):
                if group and columns['split']:
                    self._splits.setdefault(group, columns['split'])
        self._take(self.names)

    def _index(self) -> None:
        """Note in which lines each picture is."""
        column, self._places = self._header.index('image'), {}
        for place, cells in enumerate(self._lines):
            self._places.setdefault(_plain(cells[column]), []).append(place)

    def _take(self, names: Sequence[str]) -> None:
        """Take over the labels of pictures from the lines that were read or written."""
        columns = [self._header.index(name) for name in self.classes]
        found = {}
        for name in names:
            places = self._places.get(name)
            found[name] = _labels(self._lines[places[0]], columns) if places else None
        changed = [name for name in names if found[name] != self.labels[name]]
        self.version += bool(changed)
        for name in changed:
            self.labels[name] = found[name]
            self._changed[name] = self.version

    def _with(self, name: str, labels: Sequence[int | None] | None) -> list[list[str]]:
        """Return all lines, those of a picture with its new labels."""
        lines, places = list(self._lines), self._places.get(name, [])
        if labels is None and name in self._ours:  # no row that somebody else made
            return [cells for place, cells in enumerate(lines) if place not in places]
        if labels is not None and not places:
            return [*lines, self._changed_line(name, self._new(name), labels)]
        for place in places:
            lines[place] = self._changed_line(name, lines[place], labels)
        return lines

    def _changed_line(
        self, name: str, cells: Sequence[str], labels: Sequence[int | None] | None
    ) -> list[str]:
        columns = dict(zip(self._header, cells, strict=True))
        for k, column in enumerate(self.classes):
            columns[column] = '' if labels is None or labels[k] is None else str(labels[k])
        if labels is not None and not columns['split']:
            columns['split'] = self._split_for(name)
        return list(columns.values())

    def _new(self, name: str) -> list[str]:
        told = dict(image=name, camera=camera_of(name), group=self.groups[name])
        return [told.get(column, '') for column in self._header]

    def _split_for(self, name: str) -> str:
        split = self._splits.get(self.groups[name], self.split_of[name])
        self._splits.setdefault(self.groups[name], split)
        return split

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator='\n').writerows([self._header, *lines])
        with atomic_path(self.root / TABLE) as temporary:
            temporary.write_bytes(text.getvalue().encode())


def _labels(cells: Sequence[str], columns: Sequence[int]) -> Labels | None:
    """Return what is known of each class; None where nothing is."""
    labels: Labels = []
    for column in columns:
        try:
            labels.append(label_of(cells[column]))
        except DataError:
            labels.append(None)
    return labels if any(label is not None for label in labels) else None

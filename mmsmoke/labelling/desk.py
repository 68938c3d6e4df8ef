"""Bring together what is on the page: pictures, labels, masks and zones of one folder."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from mmsmoke.datasets.table import TABLE
from mmsmoke.datasets.zones import KINDS, ViewPolygons, write_view
from mmsmoke.utils import UserError

from .labels import SHARES, LabelTable, names_in
from .locks import alone
from .masks import Masks, Outdated
from .pictures import find_pictures
from .suggestions import Suggestions, read_suggestions

RESERVED = ('image', 'split', 'camera', 'view', 'group')


class Desk:
    """Hold the pictures of a folder and change what is known of them.

    Args:
        root: data set, or plain folder of pictures; labels.csv is written into it.
        listed: CSV file of pictures to look at first.
        proposals: folder of masks that a model proposes.
        zones: JSON file of polygons; by default ``zones.json`` in the folder.
        shares, pattern: of the splits that are proposed; see :class:`LabelTable`.
    """

    def __init__(
        self,
        root: str | Path,
        classes: Sequence[str] = ('smoke',),
        listed: str | Path | None = None,
        proposals: str | Path | None = None,
        zones: str | Path | None = None,
        shares: Mapping[str, float] = SHARES,
        pattern: str | None = None,
    ):
        self.root = Path(root)
        if not self.root.is_dir():
            raise UserError(f'folder {root} not found')
        if proposals is not None and not Path(proposals).is_dir():
            raise UserError(f'folder {proposals} not found')
        if not 1 <= len(classes) <= 9 or len(set(classes)) < len(classes):
            raise UserError(f'name one to nine classes with --classes, not {" ".join(classes)}')
        for name in classes:
            if name in RESERVED or name.split() != [name]:
                raise UserError(f'a class cannot be called {name!r}')
        self.names = find_pictures(self.root, names_in(self.root))
        self.table = LabelTable(self.root, classes, self.names, shares, pattern)
        self.masks = Masks(self.root, len(classes), None if proposals is None else Path(proposals))
        self.zones = Path(zones or self.root / 'zones.json')
        self._view_columns = tuple(self.table.view_columns())
        self.views()  # says now what is wrong with the file
        self.suggestions = Suggestions((), {})
        if listed is not None:
            self.suggestions = read_suggestions(Path(listed), self.names, classes)

    def state(self) -> dict:
        """Return what a page needs to begin."""
        self.table.refresh()
        version = self.table.version  # before labels are read: what changes meanwhile is told later
        number = {name: index for index, name in enumerate(self.names)}
        return dict(
            folder=self.root.resolve().name,
            classes=self.table.classes,
            names=self.names,
            labels=[self.table.labels[name] for name in self.names],
            version=version,
            listed=[number[name] for name in self.suggestions.images],
            predictions={number[n]: said for n, said in self.suggestions.predictions.items()},
            proposes=self.masks.proposals is not None,
        )

    def changes(self, since: int) -> dict:
        """Return the labels that have changed after a version, by the numbers of pictures."""
        self.table.refresh()
        version, found = self.table.version, self.table.changes(since)
        labels = {k: found[name] for k, name in enumerate(self.names) if name in found}
        return dict(version=version, labels=labels)

    def info(self, name: str) -> dict:
        """Return what the views of masks and zones need to know of a picture."""
        width, height = self.masks.size(name)
        file, row = self.views(), self.table.row_of(name)
        offset, scale = file.place(row, width, height)
        return dict(
            size=[width, height],
            view=file.view_of(row),
            offset=offset.tolist(),
            scale=scale.tolist(),
            mask=self.masks.version(name),
            proposal=self.masks.proposal_path(name) is not None,
        )

    def views(self) -> ViewPolygons:
        """Return the file of polygons, or an empty one where there is none yet."""
        if self.zones.exists():
            return ViewPolygons.read(self.zones)
        return ViewPolygons(self._view_columns, None, {})

    def drawn(self, name: str) -> dict:
        """Return the polygons, by kind, of the view that a picture shows, and their version.

        The version changes whenever these polygons do; it is None where there are none.
        """
        file = self.views()
        view = file.view_of(self.table.row_of(name))
        found = {kind: getattr(file, kind).get(view, ()) for kind in KINDS}
        drawn = {kind: [one.tolist() for one in polygons] for kind, polygons in found.items()}
        version = sha256(json.dumps(drawn).encode()).hexdigest() if any(drawn.values()) else None
        return dict(drawn=drawn, version=version)

    def draw(self, name: str, polygons: Mapping[str, Sequence], known: str | None) -> dict:
        """Replace the polygons of the view that a picture shows; other views stay as they are.

        Args:
            known: version of those that were changed here.

        Returns:
            as :meth:`drawn`.

        Raises:
            Outdated: if it is another now.
        """
        with alone(self.zones):
            if self.drawn(name)['version'] != known:
                raise Outdated(f'{self.zones}: this view has been changed elsewhere meanwhile')
            file, row = self.views(), self.table.row_of(name)
            size = None if row.columns.get('side') else self.masks.size(name)
            write_view(self.zones, file.view, size, file.view_of(row), polygons)
            return self.drawn(name)

    def counts(self) -> dict[str, int]:
        """Return how many pictures there are, have labels, and show each class."""
        done = [labels for labels in self.table.labels.values() if labels and None not in labels]
        each = {name: sum(one[k] for one in done) for k, name in enumerate(self.table.classes)}
        return dict(pictures=len(self.names), labelled=len(done), **each)

    @property
    def path(self) -> Path:
        return self.root / TABLE

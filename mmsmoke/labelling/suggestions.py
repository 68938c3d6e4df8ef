"""Read lists of pictures to look at first, with what a model says of them where it does."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmsmoke.datasets.labels import label_of
from mmsmoke.utils import DataError, UserError

PREDICTIONS = dict(predicted_=0.5, probability_=0.5, share_=0.0)
"""Columns of a list, before the name of a class, and above which value they mean yes."""


@dataclass(frozen=True)
class Suggestions:
    """Hold a list of pictures.

    Attributes:
        images: names, in the order of the list.
        predictions: name -> what the list says of each class, 1, 0 or None; empty where it says
            nothing of any.
    """

    images: Sequence[str]
    predictions: Mapping[str, Sequence[int | None]]


def read_suggestions(path: Path, names: Sequence[str], classes: Sequence[str]) -> Suggestions:
    """Read a CSV file with the column ``image``, as in labels.csv or below ``images/``.

    Columns like ``smoke`` or ``predicted_smoke`` are yes or no, or how sure the model is;
    ``probability_smoke`` and ``share_smoke`` are what tools/infer.py writes.
    """
    try:
        # tools/infer.py keeps names that are not UTF-8, of pictures that labels.csv cannot name
        with open(path, encoding='utf-8-sig', errors='surrogateescape', newline='') as file:
            lines = list(csv.DictReader(file, skipinitialspace=True, strict=True))
    except FileNotFoundError as error:
        raise UserError(f'{path} not found') from error
    except csv.Error as error:
        raise DataError(f'{path} is no csv file: {error}') from error
    if not lines or 'image' not in lines[0]:
        raise DataError(f"{path} has no column 'image', or no rows")
    known, images, predictions = set(names), [], {}
    columns = [_column(name, lines[0]) for name in classes]
    for line in lines:
        plain = PurePosixPath((line['image'] or '').strip()).as_posix()
        name = next((n for n in (plain, f'images/{plain}') if n in known), None)
        if name is None or name in predictions:
            continue
        images.append(name)
        predictions[name] = [_said(path, line, column) for column in columns]
    if not images:
        raise DataError(f'{path} names no picture of the folder; it begins with {plain!r}')
    return Suggestions(images, predictions if any(columns) else {})


def _column(name: str, there: Mapping) -> str | None:
    return next((p + name for p in ('', *PREDICTIONS) if p + name in there), None)


def _said(path: Path, line: Mapping, column: str | None) -> int | None:
    cell = (line.get(column) or '').strip() if column else ''
    if not cell:
        return None
    above = next((least for p, least in PREDICTIONS.items() if column.startswith(p)), 0.5)
    try:
        return int(float(cell) > above)
    except ValueError:
        pass
    try:
        return label_of(cell)
    except DataError as error:
        raise DataError(f'{path}: {line["image"]}: {column} {error}') from error

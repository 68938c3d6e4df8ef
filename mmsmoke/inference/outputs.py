"""Hold what a model finds in an image, and write the files that say so."""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np

from mmsmoke.datasets.pictures import save_image
from mmsmoke.datasets.table import TABLE
from mmsmoke.utils import DataError, UserError, save_png
from mmsmoke.utils.threads import map_ahead
from mmsmoke.visualization import overlay_mask

from .frames import Item
from .inputs import Cut, Prepared

OnError = Callable[[DataError], None]
AREAS, UNFINISHED = 'areas.csv', 'areas.unfinished.csv'


@dataclass(frozen=True)
class Prediction:
    """Hold what a model finds in one image.

    Args:
        image: name of the image or video, as in ``areas.csv``.
        shares: of the image's area, or of its zones, that each class covers, in percent.
        probabilities: of each class, by a classifier; segmentors give none.
        mask: uint8 [H, W], 0 background, k + 1 class k; None where it was written to a file.
        scores: float32 [K, H, W] in [0, 1], if asked for.
        frame, seconds: where in a video.
    """

    image: str
    shares: dict[str, float]
    probabilities: dict[str, float] | None = None
    mask: np.ndarray | None = None
    scores: np.ndarray | None = None
    frame: int | None = None
    seconds: float | None = None

    def row(self) -> dict:
        """Return the row of the table of areas."""
        row = dict(image=self.image)
        if self.frame is not None:
            row = dict(video=self.image, frame=self.frame, seconds=round(self.seconds, 3))
        row |= {f'share_{name}': f'{share:.4f}' for name, share in self.shares.items()}
        for name, probability in (self.probabilities or {}).items():
            row[f'probability_{name}'] = f'{probability:.4f}'
        return row


def shares_of(
    mask: np.ndarray, classes: Sequence[str], area: np.ndarray | None = None
) -> dict[str, float]:
    """Return how many percent of a picture, or of an area [H, W] of it, each class covers."""
    counted = mask.ravel() if area is None else mask[area]
    _, *counts = np.bincount(counted, minlength=len(classes) + 1)
    return by_name(classes, [100 * float(count) / max(counted.size, 1) for count in counts])


def by_name(classes: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    if len(values) != len(classes):
        raise UserError(f'the model knows {len(values)} classes, its config names {len(classes)}')
    return dict(zip(classes, values, strict=True))


@contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Say which file cannot be written, as the system does not where a disk is full."""
    try:
        yield
    except OSError as error:
        raise UserError(f'{path} cannot be written: {error.strerror or error}') from error


def open_table(path: Path) -> TextIO:
    """Open a table for writing; names of files that are not UTF-8 stay as they are."""
    return open(path, 'w', encoding='utf-8', errors='surrogateescape', newline='')


def write_areas(
    file: TextIO, predictions: Iterable[Prediction], columns: Sequence[str]
) -> Iterator[Prediction]:
    """Pass predictions on and write a row of each, below a header that is always there."""
    table = csv.DictWriter(file, columns, lineterminator='\n')
    table.writeheader()
    for prediction in predictions:
        table.writerow(prediction.row())
        yield prediction


def check_names(items: Iterable[Item], out_dir: str | os.PathLike) -> None:
    """Raise if something would be overwritten that is not an earlier result of the same image."""
    out_dir = Path(out_dir)
    if (out_dir / TABLE).exists():
        raise UserError(f'{out_dir} is a data set; results would overwrite its masks')
    if not any((out_dir / name).exists() for name in (AREAS, UNFINISHED)):
        for folder in (out_dir / 'masks', out_dir / 'overlays'):
            if folder.exists():
                raise UserError(f'{folder} is not of an earlier run; name another folder')
    sources = {}
    for item in items:
        is_file = not isinstance(item.source, np.ndarray)
        source = os.path.abspath(item.source) if is_file else item.name
        other = sources.setdefault(Path(item.name).with_suffix(''), source)
        if other != source:
            raise UserError(
                f'{other} and {source} would have their results in the same files; '
                'give them different names, or do them one after the other with two out_dir'
            )


def readable(
    tried: Iterable[tuple[Item, Prepared | Cut | DataError]],
    on_error: OnError | None,
    out_dir: str | os.PathLike | None,
) -> Iterator[Prepared | Cut]:
    """Leave out what cannot be read, and remove what an earlier run has found in it.

    Args:
        on_error: takes the errors; where there is none, the first is raised.
    """
    for item, found in tried:
        if not isinstance(found, DataError):
            yield found
            continue
        if out_dir is not None:
            remove_results(out_dir, item.name)
        if on_error is None:
            raise found
        on_error(DataError(str(found)))  # the frames of the other keep pictures in memory


def remove_results(out_dir: str | os.PathLike, image: str) -> None:
    """Remove what an earlier run has found in an image."""
    for path in _result_paths(out_dir, image):
        with writing(path):
            path.unlink(missing_ok=True)


def write_predictions(
    out_dir: str | os.PathLike,
    found: Iterable[tuple[np.ndarray, Prediction]],
    columns: Sequence[str],
    palette: Sequence,
    overlays: bool,
    most: int,
) -> Iterator[Prediction]:
    """Write ``masks/``, ``overlays/`` and ``areas.csv``, which has another name until all is done.

    Args:
        found: pictures uint8 [H, W, 3] BGR and what was found in them.
        columns: of the table.
        most: how many may wait for being written.
    """
    out_dir = Path(out_dir)

    def write(pair: tuple[np.ndarray, Prediction]) -> Prediction:
        picture, prediction = pair
        mask, overlay = _result_paths(out_dir, prediction.image)
        with writing(mask):
            save_png(mask, prediction.mask, palette)
        with writing(overlay):
            if overlays:
                save_image(overlay, overlay_mask(picture[..., ::-1], prediction.mask, palette))
            else:  # that of an earlier run would show another mask
                overlay.unlink(missing_ok=True)
        return replace(prediction, mask=None, scores=None)

    with writing(out_dir / UNFINISHED):
        out_dir.mkdir(parents=True, exist_ok=True)
        with open_table(out_dir / UNFINISHED) as file:
            (out_dir / AREAS).unlink(missing_ok=True)
            yield from write_areas(file, map_ahead(write, found, 2, most), columns)
        os.replace(out_dir / UNFINISHED, out_dir / AREAS)


def _result_paths(out_dir: str | os.PathLike, image: str) -> tuple[Path, Path]:
    """Return the files of an image's mask and overlay."""
    name = Path(image)
    return (
        Path(out_dir, 'masks', name.with_suffix('.png')),
        Path(out_dir, 'overlays', name.with_suffix('.jpg')),
    )

"""Handle images that cannot be looked at, and warn of those that a pipeline distorts."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator

from mmsmoke.utils import DataError

from .inputs import Item, Prepared
from .outputs import remove_results

STRETCHED = 4
"""How many times a pipeline may change a picture's proportions before there is a warning."""
OnError = Callable[[DataError], None]


def readable(
    tried: Iterable[tuple[Item, Prepared | DataError]],
    on_error: OnError | None,
    out_dir: str | os.PathLike | None,
) -> Iterator[Prepared]:
    """Leave out what cannot be read, and remove what an earlier run has found in it.

    Args:
        on_error: takes the errors; where there is none, the first is raised.
    """
    for item, found in tried:
        if isinstance(found, Prepared):
            yield found
            continue
        if out_dir is not None:
            remove_results(out_dir, item.name)
        if on_error is None:
            raise found
        on_error(DataError(str(found)))  # the frames of the other keep pictures in memory


def warning_of_stretches(images: Iterable[Prepared]) -> Iterator[Prepared]:
    """Pass images on; warn once, after the last."""
    stretched = []
    for image in images:
        if image.stretch > STRETCHED:
            height, width = image.picture.shape[:2]
            stretched.append(f'{image.item.name} ({width} x {height})')
        yield image
    if stretched:
        warnings.warn(
            f"{stretched[0]} is stretched by more than {STRETCHED}:1 by the model's test pipeline "
            f'({len(stretched)} such in all); what is found there means little',
            stacklevel=2,
        )

"""Handles images that cannot be looked at, and warns of those that a pipeline distorts."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator

from mmsmoke.utils import DataError

from .inputs import Prepared, Unreadable
from .outputs import remove_results

STRETCHED = 4
"""How many times a pipeline may change a picture's proportions before there is a warning."""
OnError = Callable[[DataError], None]
Skip = Callable[[Unreadable], None]


def skipping(on_error: OnError | None, out_dir: str | os.PathLike | None = None) -> Skip:
    """Returns a function that removes earlier results of an image and hands over its error.

    Args:
        on_error: takes the error; where there is none, it is raised.
    """

    def skip(one: Unreadable) -> None:
        if out_dir is not None:
            remove_results(out_dir, one.item.name)
        if on_error is None:
            raise one.error
        on_error(DataError(str(one.error)))  # the frames of the other keep pictures in memory

    return skip


def readable(tried: Iterable[Prepared | Unreadable], skip: Skip) -> Iterator[Prepared]:
    """Leaves out what cannot be read, and calls ``skip`` with it."""
    for one in tried:
        if isinstance(one, Unreadable):
            skip(one)
        else:
            yield one


def warning_of_stretches(images: Iterable[Prepared]) -> Iterator[Prepared]:
    """Passes images on; warns once, after the last."""
    count, example = 0, ''
    for image in images:
        if image.stretch > STRETCHED:
            count += 1
            height, width = image.picture.shape[:2]
            example = example or f'{image.item.name} ({width} x {height})'
        yield image
    if count:
        warnings.warn(
            f"{example} is stretched by more than {STRETCHED}:1 by the model's test pipeline "
            f'({count} such in all); what is found there means little',
            stacklevel=2,
        )

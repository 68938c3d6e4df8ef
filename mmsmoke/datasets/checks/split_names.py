"""Checks the names of splits: an unknown one is fine, unless another was meant."""

from collections.abc import Iterator, Sequence

from mmsmoke.datasets.table import TABLE, Row

PURPOSES = dict(train='training learns from it', val='training validates on it', test='')
NEEDED = ('train', 'val')
OTHER_NAMES = dict(training='train', valid='val', validation='val', testing='test')


def split_problems(rows: Sequence[Row], needed: Sequence[str] = NEEDED) -> Iterator[str]:
    """List splits under another name than configs look for, and those that are missing."""
    numbers_of = {}
    for row in rows:
        numbers_of.setdefault(' '.join(row.split.split()), []).append(row.number)
    for name, numbers in numbers_of.items():
        meant = _meant(name)
        if meant != name:
            yield (
                f'{TABLE}: split {name!r} must be called {meant!r}, which is what configs look for '
                f'({len(numbers)} rows, the first is row {numbers[0]})'
            )
    for name in needed if rows else ():
        if name not in map(_meant, numbers_of):
            purpose = f' ({PURPOSES[name]})' if PURPOSES.get(name) else ''
            yield (
                f'{TABLE} has no split {name!r}{purpose}; it has: {", ".join(sorted(numbers_of))}. '
                '--splits says which must be there'
            )


def split_warnings(rows: Sequence[Row]) -> Iterator[str]:
    if rows and 'test' not in {_meant(row.split) for row in rows}:
        yield f"{TABLE} has no split 'test', which pipelines and tools/test.py measure on"


def _meant(name: str) -> str:
    """Return the name that configs have for a split; other names mean themselves."""
    word = name.lower()
    return OTHER_NAMES.get(word, word if word in PURPOSES else name)

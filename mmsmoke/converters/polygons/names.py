"""Name the labels that paint besides the classes."""

from collections.abc import Sequence

from mmsmoke.functional import IGNORE
from mmsmoke.utils import UserError

BACKGROUND, UNKNOWN = 'background', 'ignore'
LABELME = {BACKGROUND: '_background_', UNKNOWN: '__ignore__'}
"""How LabelMe's own scripts call the two."""


def require_classes(classes: Sequence[str]) -> None:
    """Raise for classes that could not be told apart, or from the labels that are no classes."""
    for name in classes:
        if name in value_of_labels(()):
            raise UserError(f'no class may be called {name!r}, which paints what is no class')
        if not name.strip() or not name.isprintable():
            raise UserError(f'{name!r} is no name of a class')
    if len(set(classes)) < len(classes):
        raise UserError(f'a class is named twice: {", ".join(classes)}')


def value_of_labels(classes: Sequence[str]) -> dict[str, int]:
    """Return the value in a mask of each label that a file may have."""
    values = {name: value for value, name in enumerate(classes, 1)}
    paints = {BACKGROUND: 0, UNKNOWN: IGNORE}
    return values | paints | {LABELME[name]: value for name, value in paints.items()}


def label_of_value(value: int, classes: Sequence[str]) -> str:
    """Return the label of a value above 0."""
    return UNKNOWN if value == IGNORE else classes[value - 1]

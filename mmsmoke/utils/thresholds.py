"""Hold where scores become foreground, and how that was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import UserError

PER_CLASS = 'per_class'
Value = float | Mapping[str, float]


@dataclass(frozen=True)
class Threshold:
    """Hold a threshold and how it was found.

    Args:
        value: for all classes, or of each by its name; None leaves it to whoever measures.
        mode: ``fixed`` (given), ``dataset`` (best on a validation split), ``per_class`` (best there
            for each class), ``otsu`` (by the scores alone), or in words.
        split: where it was chosen, if it was.
    """

    value: Value | None
    mode: str = 'fixed'
    split: str | None = None

    @classmethod
    def of(cls, protocol: Mapping) -> 'Threshold':
        """Return what the protocol of a result says."""
        names = ('threshold', 'threshold_mode', 'threshold_split')
        return cls(*(protocol[name] for name in names))

    def protocol(self) -> dict:
        """Return the form that files and settings have."""
        value = dict(self.value) if isinstance(self.value, Mapping) else self.value
        return dict(threshold=value, threshold_mode=self.mode, threshold_split=self.split)


def check_threshold(value: Value) -> None:
    """Raise for what cannot be a threshold."""
    for name, one in value.items() if isinstance(value, Mapping) else [(None, value)]:
        of_class = f' of {name}' if name else ''
        if isinstance(one, str) or one is None or not 0 <= one < 1:
            hint = ''
            if one == PER_CLASS:
                hint = (
                    '; a threshold for each class has to be searched first, on a split with masks'
                )
            raise UserError(f'threshold{of_class} must be in [0, 1), got {one}{hint}')


def in_order(value: Value, classes: Sequence[str]) -> float | list[float]:
    """Return a threshold as functions take it: a number, or one for each class in their order."""
    if not isinstance(value, Mapping):
        return value
    if set(value) != set(classes):
        raise UserError(
            f'threshold must name each class: {", ".join(classes)}; got {", ".join(value)}'
        )
    return [value[name] for name in classes]


def scaled(value: Value, factor: float, digits: int = 4) -> Value:
    """Return a threshold, or that of each class, times a factor."""
    if isinstance(value, Mapping):
        return {name: round(one * factor, digits) for name, one in value.items()}
    return round(value * factor, digits)


def in_words(value: Value) -> str:
    """Return a threshold as text, as '0.31' or 'smoke 0.31, steam 0.40'."""
    if isinstance(value, Mapping):
        return ', '.join(f'{name} {one:.2f}' for name, one in value.items())
    return f'{value:.2f}'

"""Lay out what was measured of monitors."""

from collections.abc import Mapping, Sequence

from .sweep_tables import mean_and_spread

NUMBERS = {
    'events a day': 'found',
    'false alarms a day': 'false_alarms',
    'true events found, %': 'recall',
    'events right, %': 'precision',
    'one for one, %': 'f1',
    'delay, s': 'delay',
}
"""Columns, and what EventMetric calls them; days are those of one camera."""
SHORT = {
    'merge_seconds': 'merge', 'gap_seconds': 'gap', 'min_seconds': 'last', 'mean_frames': 'mean',
}  # fmt: skip


def ways_rows(ways: Sequence[Mapping]) -> list[dict]:
    """Return a row of each way to make events: what was chosen, and its numbers over the days.

    Args:
        ways: as :func:`~mmsmoke.experiments.monitor_days.measure_ways` returns them.
    """
    return [
        dict(way=one['way'], settings=_settings_text(one['settings']))
        | {
            column: mean_and_spread([numbers.get(name) for numbers in one['test']])
            for column, name in NUMBERS.items()
        }
        for one in ways
    ]


def _settings_text(settings: Mapping[str, float]) -> str:
    return ', '.join(f'{SHORT.get(name, name)} {_short(x)}' for name, x in settings.items())


def _short(value: float) -> str:
    return f'{float(f"{value:.2g}"):g}'

"""Make tables of a sweep: means, spreads over seeds, and which differences are more than noise.

A result of :func:`~mmsmoke.experiments.sweep.run_sweep` may have

- ``baseline``: the variant that all others are compared with, column by column;
- ``claims``: sentences that the runs can confirm or refute, each a dict of ``claim``, ``more`` and
  ``less`` (variants, or lists of as many: the former is said to have more than the latter) and
  ``column`` (a title);
- ``rows``: the variants that the table shows, if not all;
- ``chosen``: with what settings its tuned variants were trained, a row each;
- ``curves``: ``x`` (a title) and ``lines``, name -> {x: variant}, for plots; with ``log_x`` on a
  logarithmic scale.

Differences are paired by seed, since variants with one seed have data order and parts of the
initial weights in common. The test is a paired t-test over the seeds, corrected by Holm's method
for all comparisons of one column or all claims of one sweep; below 0.05 it is a result.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

from mmsmoke.functional import holm, mean_interval, paired_test
from mmsmoke.utils import UserError
from mmsmoke.visualization import line_chart, markdown_table, rows_table

SURE = 0.05
FEWEST = 3
"""Seeds that a verdict needs: two may be equal by chance."""
NOT_SURE = 'within the noise'
HIGHER, LOWER, NOISE = '▲', '▼', '≈'


def sweep_tables(result: Mapping) -> str:
    """Return all tables of a sweep, one below the other."""
    tables = [sweep_table(result)]
    if result.get('claims'):
        tables.append(claims_table(result))
    if result.get('chosen'):
        tables.append(rows_table(result['chosen']))
    return '\n\n'.join(tables)


def sweep_table(result: Mapping) -> str:
    """Return the table of a sweep's numbers."""
    return markdown_table(*sweep_rows(result))


def sweep_part(result: Mapping, titles: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return some columns of some variants, which are called by other titles, without marks."""
    runs = [
        {**run, 'variant': title}
        for name, title in titles.items()
        for run in result['runs']
        if run['variant'] == name
    ]
    return sweep_table(
        dict(runs=runs, columns=[[name, *_column(result, name)] for name in columns])
    )


def sweep_rows(result: Mapping) -> tuple[list[str], list[tuple]]:
    """Return header and rows: mean ± standard deviation over the seeds, one row a variant.

    Of one seed, the 95 % interval over the images, where the metric has one. With a baseline: ▲
    higher, ▼ lower, ≈ within the noise.
    """
    variants = dict.fromkeys(run['variant'] for run in result['runs'])
    variants = [name for name in variants if name in result.get('rows', variants)]
    columns = []
    for _, split, metric in result['columns']:
        values = {name: _by_seed(result, name, split, metric) for name in variants}
        marks = _marks(values, result.get('baseline'))
        cells = [
            mean_and_spread(list(values[name].values())) + _interval(result, name, split, metric)
            for name in variants
        ]
        columns.append([f'{cell}{marks[name]}' for name, cell in zip(variants, cells, strict=True)])
    seeds = [len({run['seed'] for run in result['runs'] if run['variant'] == v}) for v in variants]
    titles = [title for title, _, _ in result['columns']]
    return ['variant', 'seeds', *titles], list(zip(variants, seeds, *columns, strict=True))


def claims_table(result: Mapping) -> str:
    """Return a table of a sweep's claims, each with its difference and verdict."""
    rows = []
    for claim, difference, chance, verdict in _judged(result):
        known = f'{chance:.3f}' if chance == chance else '–'
        cell = mean_and_spread(difference) if difference else '–'
        favour = f'{sum(one > 0 for one in difference)} of {len(difference)}' if difference else '–'
        rows.append([claim['claim'], claim['column'], cell, favour, known, verdict])
    return markdown_table(['claim', 'of', 'difference', 'seeds for it', 'p', 'verdict'], rows)


def shared_claims_table(results: Mapping[str, Sequence[Mapping]]) -> str:
    """Compare what became of the claims of several settings, side by side.

    Args:
        results: those of the sweeps of each setting, by the title of its column. Of a claim that
            two sweeps of one setting share, the first counts that has measured it.
    """
    found: dict[tuple, dict[str, str]] = {}
    for title, sweeps in results.items():
        for sweep in sweeps:
            for claim, difference, chance, _ in _judged(sweep):
                cells = found.setdefault((claim['claim'], claim['column']), {})
                if difference:
                    cells.setdefault(title, _outcome(difference, chance))
    rows = [
        [*claim, *(cells.get(title, 'not measured') for title in results)]
        for claim, cells in found.items()
    ]
    return markdown_table(['claim', 'of', *results], rows)


def _outcome(difference: list[float], chance: float) -> str:
    """Say what became of a claim, with its mean difference, 95 % interval and number of seeds.

    What is within the noise is a tendency if all seeds agree about the sign.
    """
    verdict, seeds = _verdict(difference, chance), len(difference)
    if verdict == NOT_SURE:
        verdict = 'open'
        if all(one > 0 for one in difference):
            verdict = 'tendency'
        elif all(one < 0 for one in difference):
            verdict = 'tendency to the opposite'
    low, high = mean_interval(difference)
    interval = f' ({low:.1f} to {high:.1f})' if seeds > 1 else ''
    mean = statistics.mean(difference)
    return f'{verdict}: {mean:.1f}{interval}, {seeds} seed{"s" if seeds > 1 else ""}'


def _judged(result: Mapping) -> list[tuple[Mapping, list[float], float, str]]:
    """Judge each claim: return it, its differences by seed, their p-value, and the verdict."""
    claims = result.get('claims', ())
    found = [_difference(result, claim) for claim in claims]
    chances = holm([_chance(difference) for difference in found])
    return [
        (claim, difference, chance, _verdict(difference, chance))
        for claim, difference, chance in zip(claims, found, chances, strict=True)
    ]


def _verdict(difference: list[float], chance: float) -> str:
    """Say what became of a claim, from its differences by seed and their p-value."""
    if not difference:
        return 'not measured yet'
    if len(difference) < FEWEST:
        return 'too few seeds'
    if chance < SURE:
        return 'holds' if statistics.mean(difference) > 0 else 'the opposite holds'
    return NOT_SURE


def sweep_chart(result: Mapping, column: str) -> str:
    """Draw the curves of a sweep, as SVG: mean and standard deviation of a column over x.

    Nothing if no point of them is known.
    """
    split, metric = _column(result, column)
    curves, lines = result['curves'], {}
    for name, points in curves['lines'].items():
        found = {x: _by_seed(result, variant, split, metric) for x, variant in points.items()}
        values = {
            x: [one for one in seeds.values() if one is not None] for x, seeds in found.items()
        }
        lines[name] = [
            (float(x), statistics.mean(seeds), spread_of(seeds))
            for x, seeds in values.items()
            if seeds
        ]
    if not any(lines.values()):
        return ''
    return line_chart(lines, curves['x'], column, curves.get('log_x', False))


def mean_and_spread(values: Sequence[float | None]) -> str:
    """Return mean and sample standard deviation as '81.2 ± 0.9'; the mean alone for one value.

    A dash if any of the values does not exist.
    """
    if not values or None in values:
        return '–'
    mean = f'{statistics.mean(values):.1f}'
    return f'{mean} ± {spread_of(values):.1f}' if len(values) > 1 else mean


def spread_of(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 of a single value."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _column(result: Mapping, title: str) -> tuple[str, str]:
    for name, split, metric in result['columns']:
        if name == title:
            return split, metric
    known = [name for name, _, _ in result['columns']]
    raise UserError(f'there is no column {title!r}, but {known}')


def _by_seed(result: Mapping, variant: str, split: str, metric: str) -> dict:
    runs = [run for run in result['runs'] if run['variant'] == variant]
    return {run['seed']: run['splits'].get(split, {}).get(metric) for run in runs}


def _interval(result: Mapping, variant: str, split: str, metric: str) -> str:
    """Return the interval of a variant with one seed, as ' (low to high)'."""
    bounds = [_by_seed(result, variant, split, f'{metric}_{end}') for end in ('low', 'high')]
    found = [value for seeds in bounds for value in seeds.values()]
    return '' if len(found) > 2 or None in found else f' ({found[0]:.1f} to {found[1]:.1f})'


def _marks(values: Mapping[str, Mapping], baseline: str | None) -> dict[str, str]:
    """Mark each variant: higher than the baseline, lower, or within the noise."""
    marks = dict.fromkeys(values, '')
    others = [name for name in values if name != baseline]
    if baseline not in values:
        return marks
    differences = [_paired(values[name], values[baseline]) for name in others]
    chances = holm([_chance(difference) for difference in differences])
    for name, difference, chance in zip(others, differences, chances, strict=True):
        if chance == chance and None not in values[name].values():
            direction = HIGHER if statistics.mean(difference) > 0 else LOWER
            marks[name] = f' {direction if chance < SURE else NOISE}'
    return marks


def _chance(difference: Sequence[float]) -> float:
    return paired_test(difference) if len(difference) >= FEWEST else math.nan


def _difference(result: Mapping, claim: Mapping) -> list[float]:
    """Return a claim's difference by seed, of several pairs of variants the mean.

    Seeds that some of its variants lack are left out.
    """
    split, metric = _column(result, claim['column'])
    more, less = (_names(claim[key]) for key in ('more', 'less'))
    of = {name: _by_seed(result, name, split, metric) for name in {*more, *less}}
    seeds = set.intersection(*(_known(values) for values in of.values()))
    return [
        statistics.mean(of[a][seed] - of[b][seed] for a, b in zip(more, less, strict=True))
        for seed in sorted(seeds)
    ]


def _names(variants: str | Sequence[str]) -> list[str]:
    return [variants] if isinstance(variants, str) else list(variants)


def _known(values: Mapping) -> set:
    return {seed for seed, value in values.items() if value is not None}


def _paired(values: Mapping, others: Mapping) -> list[float]:
    return [values[seed] - others[seed] for seed in sorted(_known(values) & _known(others))]

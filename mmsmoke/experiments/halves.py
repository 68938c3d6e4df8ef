"""Ask whether a refiner helps bad maps and harms good ones."""

import statistics
from collections.abc import Mapping, Sequence

from mmsmoke.utils import UserError

from .run_records import made_with

HALVES = ('worse', 'better')
COLUMNS = [
    ['CAM IoU, threshold split', 'threshold_split', 'iou'],
    ['CAM IoU', 'test_split', 'iou'],
]


def compare_halves(results: Sequence[Mapping], row: str, over: str) -> dict:
    """Compare two rows apart for the worse and the better half of the classifiers.

    Which half a classifier belongs to is decided where thresholds are chosen, by the IoU of row
    ``over``; what counts is the IoU on the test split. So a classifier that had bad luck there is
    not also said to have been helped. The middle one of an odd number is in neither half.

    Args:
        results: of :func:`~mmsmoke.experiments.comparison.compare_refiners`, each of the
            classifiers of one seed; what is tested is the mean of a half, over the seeds.
        row: of the refiner.
        over: what it is compared with.

    Returns:
        A result like that of :func:`~mmsmoke.experiments.sweep.run_sweep`.
    """
    runs = []
    for seed, result in enumerate(results):
        missing = {row, over} - result['rows'].keys()
        if missing:
            raise UserError(f'{result["refinement"]} has no row {missing.pop()!r} here')
        before, after = result['rows'][over], result['rows'][row]
        names = sorted(before.keys() & after.keys(), key=lambda one: _iou(before[one]))
        if len(names) < 2:
            raise UserError('each result needs two classifiers that have both rows')
        size = len(names) // 2
        for half, members in zip(HALVES, (names[:size], names[-size:]), strict=True):
            for title, found in ((over, before), (row, after)):
                tested = {name: found[name]['dataset'] for name in members}
                chosen_on = statistics.mean(_iou(found[name]) for name in members)
                splits = dict(
                    threshold_split=dict(iou=chosen_on),
                    test_split=dict(iou=statistics.mean(tested.values())),
                )
                variant = f'{half} half, {title}'
                run = dict(variant=variant, seed=seed, classifiers=tested, splits=splits)
                runs.append({**run, 'environment': result['environment']})
    claims = [
        dict(claim=f'{row} {does} the {half} half', more=f'{half} half, {more}')
        | dict(less=f'{half} half, {less}', column=COLUMNS[1][0])
        for does, half, more, less in (
            ('helps', 'worse', row, over),
            ('harms', 'better', over, row),
        )
    ]
    return dict(columns=COLUMNS, claims=claims, **made_with(runs))


def _iou(numbers: Mapping) -> float:
    return numbers['on_threshold_split']

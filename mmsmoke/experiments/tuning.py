"""Give the methods of a sweep the settings that were the best of as many tries each."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import UserError, read_json

from .run_records import read_sweep


def tune(sweep: Config, asked: Sequence[str] | None = None) -> None:
    """Give each variant that says ``best_of=METHOD`` the changes of that method's best candidate.

    ``tuned`` of the sweep says which ``sweep`` has tried the candidates, its variants ``METHOD``
    and ``METHOD, …``, which ``file`` holds its result, and by which ``split`` and ``metric`` they
    are compared; see :func:`best_variant`. The sweep's ``chosen`` then has a row for each tuned
    variant.

    Args:
        asked: names of the variants that are wanted. While the file does not exist, tuned variants
            of other names are left out.
    """
    sweep.chosen = []
    if 'tuned' not in sweep:
        return
    tried = read_sweep(sweep.tuned.sweep, sweep.scale).variants
    known, variants = Path(sweep.tuned.file).is_file(), {}
    for name, changes in sweep.variants.items():
        changes = dict(changes)
        method = changes.pop('best_of', None)
        if method is not None:
            if not known and asked is not None and name not in asked:
                continue
            candidates = [one for one in tried if one.split(', ')[0] == method]
            if not candidates:
                methods = ', '.join(dict.fromkeys(one.split(', ')[0] for one in tried))
                raise UserError(f'{sweep.tuned.sweep} has tried no {method}, but {methods}')
            best, value = best_variant(sweep.tuned, candidates, sweep.scale)
            changes = {**tried[best], **changes}
            row = {'variant': name, 'best of': len(candidates), 'settings': best}
            metric = f'{sweep.tuned.split}, {sweep.tuned.metric}'
            sweep.chosen.append({**row, metric: round(value, 1)})
        variants[name] = changes
    sweep.variants = variants


def best_variant(
    tuned: Mapping, candidates: Sequence[str], scale: str | None = None
) -> tuple[str, float]:
    """Return the candidate with the highest mean over its seeds, the earlier of equals, and that.

    Args:
        tuned: ``file``, ``split``, ``metric`` and ``sweep``.
        scale: that of the sweep; numbers of another sweep or scale do not count.
    """
    result = read_json(tuned['file']) if Path(tuned['file']).is_file() else {}
    made_by = Path(result.get('sweep', '')).name, result.get('scale')
    runs = result['runs'] if made_by == (Path(tuned['sweep']).name, scale) else []
    values = {name: {} for name in candidates}
    for run in runs:
        value = run['splits'].get(tuned['split'], {}).get(tuned['metric'])
        if run['variant'] in values and value is not None:
            values[run['variant']][run['seed']] = value
    seeds = set().union(*values.values())
    for name, found in values.items():
        if not seeds or found.keys() != seeds:
            at = f' --scale {scale}' if scale else ''
            raise UserError(
                f'{tuned["file"]} does not have the {tuned["metric"]} of {name} with every seed; '
                f'python tools/sweep.py {tuned["sweep"]}{at} --out {tuned["file"]} makes it'
            )
    means = {name: statistics.mean(found.values()) for name, found in values.items()}
    best = max(means, key=means.get)
    return best, means[best]

"""Fill the tables of the benchmark from the result files of runs, and from rows of others.

``docs/benchmark.json`` declares it. ``columns`` says of each title in which part of a row its
number is found (``from``: part -> keys below it), what it ``means``, which value is ``best``, and
the ``highest`` that others may submit, if not 100. A *board* is methods on one data set: its
``data`` with their checksum, the ``protocol``, the ``plans`` (sweep files and pipelines -> their
result files), ``trivial`` and ``costs`` (files of tools/analysis/trivial_baselines.py and
step_costs.py), its ``columns`` and its ``rows``. A row has a ``method``, what this ``learns_from``
if not labels, and the variants that its parts are called by: ``classifier`` and ``segmentor``, of
whichever plan has them, or ``trivial``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmsmoke.utils import UserError, read_json
from mmsmoke.visualization import markdown_table, rows_table

from .summary import splits_of, stages_of
from .sweep_tables import mean_and_spread

DECLARED = 'docs/benchmark.json'
LABELS = 'labels'
"""Names what a row learns from, if the row itself does not."""
NONE = [], 0
"""Stands for numbers that are not there, of no seed."""


def read_benchmark(root: Path = Path()) -> dict:
    """Read what the benchmark consists of, below the folder of a checkout."""
    if not (root / DECLARED).is_file():
        raise UserError(f'{DECLARED} not found: the benchmark is run in a checkout of mmsmoke')
    return read_json(root / DECLARED)


def board_of(benchmark: Mapping, name: str) -> dict:
    """Return one of the benchmark's boards."""
    if name not in benchmark['boards']:
        raise UserError(f'there is no benchmark {name!r}, but {", ".join(benchmark["boards"])}')
    return benchmark['boards'][name]


def columns_table(benchmark: Mapping) -> str:
    """Return what the columns of all boards mean."""
    return rows_table(
        [
            dict(column=title, meaning=column['means'], best=column['best'])
            for title, column in benchmark['columns'].items()
        ]
    )


def board_block(benchmark: Mapping, name: str, submitted: Mapping[str, Mapping], root: Path) -> str:
    """Return protocol, data, command and table of a board.

    Args:
        submitted: checked rows of others, of any board, by the names of their files.
    """
    board = board_of(benchmark, name)
    data = board['data']
    return '\n\n'.join(
        [
            f'{board["protocol"]} Tested on `{data["data_root"]}`, whose `labels.csv` has the '
            f'SHA-256 `{data["labels_sha256"]}`. `python tools/benchmark.py {name} ROW` makes the '
            'numbers of a row.',
            board_table(benchmark, name, submitted, root),
        ]
    )


def board_table(benchmark: Mapping, name: str, submitted: Mapping[str, Mapping], root: Path) -> str:
    """Return the table of a board: mean ± standard deviation over the seeds, one row a method."""
    board = board_of(benchmark, name)
    found = measured(board, root)
    rows = [
        (key, row['method'], row.get('learns_from', LABELS), _numbers(benchmark, row, found))
        for key, row in board['rows'].items()
    ]
    rows += [
        (
            f'[{Path(file).stem}](results/submissions/{file})',
            f'[{row["method"]}]({row["link"]})',
            row['learns_from'],
            submitted_numbers(row),
        )
        for file, row in submitted.items()
        if row['benchmark'] == name
    ]
    lines = [[*titles, *_cells(numbers, board['columns'])] for *titles, numbers in rows]
    return markdown_table(['row', 'method', 'learns from', 'seeds', *board['columns']], lines)


def measured(board: Mapping, root: Path) -> dict[str, dict[str, tuple[list[Mapping], int]]]:
    """Read what is known of a board: part -> variant -> what it was measured as, of how many seeds.

    Of a run that two files know, the first file's numbers count. A plan may have no result file
    yet.
    """
    runs: dict[str, dict] = {}
    for file in board['plans'].values():
        result = read_json(root / file) if (root / file).is_file() else {}
        for variant, seed, data, splits in _runs_of(result):
            _require_data(file, board, data)
            runs.setdefault(variant, {}).setdefault(seed, splits)
    trivial = read_json(root / board['trivial'])
    _require_data(board['trivial'], board, trivial)
    costs = read_json(root / board['costs']) if 'costs' in board else []
    tested = {name: (list(seeds.values()), len(seeds)) for name, seeds in runs.items()}
    return dict(
        classifier=tested,
        segmentor=tested,
        trivial={row['map']: ([row], 0) for row in trivial['tables'][0]},
        cost={row['variant']: ([row], row['seeds']) for row in costs},
    )


def submitted_numbers(row: Mapping) -> dict[str, tuple[list[float], int]]:
    """Return the numbers of a row of others: column -> its values, and of how many seeds."""
    titles = [title for title in row['runs'][0] if title != 'seed']
    return {title: ([run[title] for run in row['runs']], len(row['runs'])) for title in titles}


def _require_data(file: str, board: Mapping, found: Mapping) -> None:
    for key, value in board['data'].items():
        if found.get(key) != value:
            raise UserError(
                f'{file}: {key} of its runs is {found.get(key)}, of the benchmark {value}'
            )


def _runs_of(result: Mapping) -> Iterator[tuple[str, int, dict, Mapping]]:
    """Yield variant, seed, data and numbers by split of each run of a sweep or a pipeline."""
    for run in result.get('runs', ()):
        yield run['variant'], run['seed'], run.get('data', {}), run['splits']
    for chain in result.get('chains', ()):
        for name in stages_of(chain):
            if 'splits' in chain[name] and name != 'pretrain':  # which has images of its own
                stage = chain[name]
                data = {key: stage.get(key) for key in ('data_root', 'labels_sha256')}
                masks = chain.get(name.replace('segment', 'label'), stage)
                learned = dict(masks=masks['metrics']) if 'metrics' in masks else {}
                yield name, stage['seed'], data, {**splits_of(stage), **learned}


def _numbers(benchmark: Mapping, row: Mapping, found: Mapping) -> dict[str, tuple]:
    """Return the numbers that a row has: column -> its values, and of how many seeds."""
    variants, numbers = {'cost': row.get('classifier'), **row}, {}
    for title, column in benchmark['columns'].items():
        for part, keys in column['from'].items():
            nodes, seeds = found[part].get(variants.get(part), NONE)
            values = [value for node in nodes if (value := _below(node, keys)) is not None]
            if values:
                numbers[title] = values, seeds - len(nodes) + len(values)
    return numbers


def _below(node: Mapping, keys: Sequence[str]) -> float | None:
    *first, last = keys
    for key in first:
        node = node.get(key, {})
    return node.get(last)


def _cells(numbers: Mapping[str, tuple[list[float], int]], columns: Sequence[str]) -> list[str]:
    """Return the number of seeds, and the numbers; one of fewer seeds than the others says so."""
    if not numbers:
        return ['not measured yet', *('' for _ in columns)]
    most = max(seeds for _, seeds in numbers.values())
    return [str(most or '–'), *(_cell(*numbers.get(one, NONE), most) for one in columns)]


def _cell(values: Sequence[float], seeds: int, most: int) -> str:
    if not values:
        return ''
    few = f' ({seeds} seed{"s" if seeds > 1 else ""})' if seeds < most else ''
    return mean_and_spread(values) + few

"""Check rows that others submit to the benchmark; docs/benchmark.md describes their format."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmsmoke.utils import UserError, read_json

SUBMISSIONS = 'docs/results/submissions'

KEYS = (
    'method', 'benchmark', 'data', 'learns_from', 'protocol', 'seeds', 'runs', 'environment',
    'command', 'link', 'licence',
)  # fmt: skip
MODES = ('fixed', 'dataset', 'otsu', "the model's own")
"""Lists how a threshold may be chosen; an oracle, which looks at each mask, is none of them."""
_MARKUP = '| [ ] < > ` \\'
"""Lists what a cell of a table may not hold, since it could end the cell or begin markup."""
_LINK = re.compile(r"https?://[\w.~:/?#@!$&*+,;=%'-]+", re.ASCII)
_FILE = re.compile(r'\w[\w.-]*\.json', re.ASCII)


def read_submissions(benchmark: Mapping, root: Path) -> dict[str, dict]:
    """Read and check all submitted rows of a checkout, by the names of their files."""
    files = sorted((root / SUBMISSIONS).glob('*.json'))
    return {file.name: read_row(benchmark, file) for file in files}


def read_row(benchmark: Mapping, file: Path) -> dict:
    """Read a submitted row; raise a UserError that says all that is wrong with it."""
    wrong = list(problems(benchmark, row := read_json(file)))
    if not _FILE.fullmatch(file.name):
        wrong.append('its name must consist of letters, digits, - and _, and end with .json')
    if wrong:
        raise UserError(f'{file}: {"; ".join(wrong)}')
    return row


def problems(benchmark: Mapping, row: Any) -> Iterator[str]:
    """Say what is missing in a submitted row, or cannot be."""
    if not isinstance(row, Mapping):
        yield f'is no object with {", ".join(KEYS)}'
        return
    missing = [key for key in KEYS if key not in row]
    unknown = [key for key in row if key not in KEYS]
    if missing:
        yield f'says nothing about {", ".join(missing)}'
    if unknown:
        yield f'has {", ".join(unknown)}, which no row has'
    if missing or unknown:
        return
    yield from _of_words(row)
    board = benchmark['boards'].get(str(row['benchmark']))
    if board is None:
        yield f'benchmark {row["benchmark"]!r} is none of {", ".join(benchmark["boards"])}'
        return
    yield from _of_data(board, row['data'])
    yield from _of_protocol(row['protocol'])
    yield from _of_runs(benchmark, board, row)


def _of_words(row: Mapping) -> Iterator[str]:
    for key in ('method', 'learns_from', 'licence'):
        if not _is_plain(row[key]):
            yield f'{key} must be 1 to 80 printable characters, none of them one of {_MARKUP}'
    if not (isinstance(row['link'], str) and _LINK.fullmatch(row['link'])):
        yield 'link must be an address of plain characters that begins with http:// or https://'
    if not (isinstance(row['command'], str) and row['command'].strip()):
        yield 'command must be what makes the numbers'
    if not (isinstance(row['environment'], Mapping) and row['environment']):
        yield 'environment must name versions, such as {"torch": "2.14.1"}'


def _is_plain(text: Any) -> bool:
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= len(text) <= 80
        and text.isprintable()
        and not {*text} & {*_MARKUP.split()}
    )


def _of_data(board: Mapping, data: Any) -> Iterator[str]:
    for key, value in board['data'].items():
        found = data.get(key) if isinstance(data, Mapping) else None
        if found != value:
            yield f'data: {key} is {found}, that of this benchmark {value}'


def _of_protocol(protocol: Any) -> Iterator[str]:
    protocol = protocol if isinstance(protocol, Mapping) else {}
    mode, split = protocol.get('threshold_mode'), protocol.get('threshold_split')
    if mode not in MODES:
        yield f'protocol: threshold_mode is {mode!r}, but must be one of {", ".join(MODES)}'
    elif mode == 'dataset' and split != 'val':
        yield f"protocol: the threshold was chosen on {split!r}, but must be on 'val'"


def _of_runs(benchmark: Mapping, board: Mapping, row: Mapping) -> Iterator[str]:
    runs, seeds = row['runs'], row['seeds']
    if not (isinstance(runs, list) and runs and all(isinstance(run, Mapping) for run in runs)):
        yield 'runs must be a list of objects, one a seed'
        return
    if type(seeds) is not int or len(runs) != seeds:
        yield f'says {seeds} seeds, but has {len(runs)} runs'
    found = [run.get('seed') for run in runs]
    if not all(type(seed) is int for seed in found) or len(set(found)) < len(found):
        yield f'each run must have another whole number as its seed, not {found}'
    titles = {title for run in runs for title in run if title != 'seed'}
    if not titles:
        yield 'no run has any number'
    for title in sorted(titles):
        if title not in board['columns']:
            yield f'{title!r} is none of the columns {", ".join(board["columns"])}'
        else:
            yield from _of_column(title, benchmark['columns'][title], runs)


def _of_column(title: str, column: Mapping, runs: list[Mapping]) -> Iterator[str]:
    highest = column.get('highest', 100)
    for run in runs:
        value = run.get(title)
        if type(value) not in (int, float):
            yield f'seed {run.get("seed")}: {title} is {value!r}, which is no number'
        elif not 0 <= value <= highest:
            yield f'seed {run.get("seed")}: {title} is {value}, but must lie in 0..{highest}'

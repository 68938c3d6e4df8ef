"""List everything that is wrong with a data set or looks like it, and what is in it."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmsmoke.datasets.checks.overview import check_dataset
from mmsmoke.datasets.checks.split_names import NEEDED
from mmsmoke.datasets.writer import classes_of
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.quiet import silence_warnings
from mmsmoke.visualization import markdown_table

MOST_ALIKE = 10
"""Problems of one kind that are shown; --out keeps all."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Exit code: 0 clean, whatever the warnings, 1 problems found, 2 wrong usage.',
    )
    parser.add_argument('data_root', help='folder with labels.csv')
    parser.add_argument(
        '--classes',
        nargs='+',
        help='columns of labels.csv (those that its converter noted in source.json, or smoke)',
    )
    parser.add_argument(
        '--masks', metavar='DIR', help='masks to learn from (the true ones, DATA_ROOT/masks)'
    )
    parser.add_argument(
        '--splits', nargs='+', default=NEEDED, help=f'that must be there ({" ".join(NEEDED)})'
    )
    parser.add_argument(
        '--out', type=Path, help='JSON file for the tables, all problems and warnings'
    )
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    silence_warnings()
    for folder in filter(None, (args.data_root, args.masks)):
        if not Path(folder).is_dir():
            raise UserError(f'folder {folder} not found')
    classes = args.classes or classes_of(args.data_root)
    report = check_dataset(args.data_root, classes, args.masks, args.splits)
    for line in _shortened(report.problems):
        print(line)
    if report.rows:
        for table in report.tables():
            print(markdown_table(*table))
    if report.probes:
        print(markdown_table(*report.probe_table()), '(50 % is chance)', sep='\n')
    for warning in report.warnings:
        print(f'warning: {warning}')
    if args.out:
        found = dict(problems=report.problems, warnings=report.warnings)
        tables = [*report.tables(), report.probe_table()]
        write_json(args.out, dict(tables=[_records(*table) for table in tables]) | found)
    count = len(report.problems)
    print(f'{count} problem{"s" * (count != 1)}' if count else 'no problems')
    sys.exit(1 if count else 0)


def _shortened(problems: Sequence[str]) -> Iterator[str]:
    """All problems, but of each kind the first only if there are very many."""
    counts, shown = Counter(map(_kind, problems)), Counter()
    for problem in problems:
        kind = _kind(problem)
        shown[kind] += 1
        if shown[kind] <= MOST_ALIKE:
            yield problem
        if shown[kind] == MOST_ALIKE < counts[kind]:
            yield f'… and {counts[kind] - MOST_ALIKE} more like this; --out FILE.json lists all'


def _kind(problem: str) -> str:
    """Return what a problem says apart from names and numbers."""
    without_place = problem.split(': ', 1)[-1]
    return re.sub(r"'.*'|\(.*\)|\S*/\S*|\d[\d, x]*", '…', without_place)


def _records(header: list[str], rows: list[list]) -> list[dict]:
    return [dict(zip(header, row, strict=True)) for row in rows]


if __name__ == '__main__':
    main()

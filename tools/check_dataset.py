"""Lists everything that is wrong with a data set or looks like it, and what is in it."""

import argparse
import sys
from pathlib import Path

from mmsmoke.datasets.checks import check_dataset
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import markdown_table


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Exit code: 0 clean, whatever the warnings, 1 problems found, 2 wrong usage.',
    )
    parser.add_argument('data_root', help='folder with labels.csv')
    parser.add_argument(
        '--classes', nargs='+', default=['smoke'], help='columns of labels.csv (smoke)'
    )
    parser.add_argument(
        '--masks', metavar='DIR', help='masks to learn from (the true ones, DATA_ROOT/masks)'
    )
    parser.add_argument('--out', type=Path, help='JSON file for the tables and warnings')
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    for folder in filter(None, (args.data_root, args.masks)):
        if not Path(folder).is_dir():
            raise UserError(f'folder {folder} not found')
    report = check_dataset(args.data_root, args.classes, args.masks, progress=True)
    for problem in report.problems:
        print(problem)
    if report.rows:
        print(markdown_table(*report.table()))
    if report.probes:
        print(markdown_table(*report.probe_table()), '(50 % is chance)', sep='\n')
    for warning in report.warnings:
        print(f'warning: {warning}')
    if args.out:
        found = dict(problems=report.problems, warnings=report.warnings)
        tables = [report.table(), report.probe_table()]
        write_json(args.out, dict(tables=[_records(*table) for table in tables]) | found)
    count = len(report.problems)
    print(f'{count} problem{"s" * (count != 1)}' if count else 'no problems')
    sys.exit(1 if count else 0)


def _records(header: list[str], rows: list[list]) -> list[dict]:
    return [dict(zip(header, row, strict=True)) for row in rows]


if __name__ == '__main__':
    main()

"""Make rows of the benchmark (docs/benchmark.md), list them, and check rows of others."""

import argparse
from pathlib import Path

from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_execution_options, add_trust_option, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('benchmark', nargs='?', help='one of those of docs/benchmark.json')
    parser.add_argument('row', nargs='?', help='the row to make; all its runs that are missing')
    parser.add_argument('--seeds', nargs='+', type=int, help='instead of those of the plans')
    parser.add_argument(
        '--fresh', metavar='FOLDER', help='do all runs again, in FOLDER; result files stay'
    )
    parser.add_argument('--list', action='store_true', help='show all rows, or those of BENCHMARK')
    parser.add_argument(
        '--submit', type=Path, metavar='FILE', help='check a row of your own; show its table'
    )
    add_execution_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()

    if args.submit:
        _check(args.submit)
    elif args.list:
        _list(args.benchmark)
    elif not (args.benchmark and args.row):
        raise UserError('name a benchmark and a row, or say --list or --submit FILE')
    else:
        from mmsmoke.experiments.benchmark import make_row
        from mmsmoke.experiments.executors import executor_of

        files = make_row(
            args.benchmark, args.row, args.seeds, args.fresh, args.jobs, executor_of(args)
        )
        print(f'numbers   {" ".join(files)}')


def _list(name: str | None) -> None:
    from mmsmoke.reports.benchmark import board_of, board_table, read_benchmark
    from mmsmoke.reports.submissions import read_submissions

    benchmark = read_benchmark()
    submitted = read_submissions(benchmark, Path())
    for one in [name] if name else benchmark['boards']:
        print(f'{one}: {board_of(benchmark, one)["title"]}\n')
        print(f'{board_table(benchmark, one, submitted, Path())}\n')


def _check(file: Path) -> None:
    from mmsmoke.reports.benchmark import board_table, read_benchmark
    from mmsmoke.reports.submissions import SUBMISSIONS, read_row

    benchmark = read_benchmark()
    row = read_row(benchmark, file)
    print(board_table(benchmark, row['benchmark'], {file.name: row}, Path()))
    print(f'\n{file} is a row of {row["benchmark"]}; it belongs into {SUBMISSIONS}/')


if __name__ == '__main__':
    main()

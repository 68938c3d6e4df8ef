"""Hold what the converters of downloaded data sets have in common."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmsmoke.datasets.checks.split_names import NEEDED
from mmsmoke.datasets.writer import count_table, narrow_tables, refuse_before, write_dataset
from mmsmoke.reports.browse import draw_samples
from mmsmoke.utils import UserError, atomic_path
from mmsmoke.visualization import markdown_table

from .plan import Missing, Plan

SHEET = 'samples.png'
_HINT = ': mend what is listed above and run this again, or pass --skip-broken'


def converter_parser(
    description: str,
    source: str,
    out: str | None,
    shares: Sequence[float] | None = (0.7, 0.1, 0.2),
    fetch_list: bool = False,
) -> argparse.ArgumentParser:
    """Return a parser with the options of all converters.

    Args:
        source: help for the folder or file to be converted.
        out: default folder of the data set.
        shares: default parts of train, val and test; None where nothing is drawn by lot.
        fetch_list: with the option for the addresses of missing files.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog='Run it again to go on. Exit code: 0 done, 1 files missing or broken, 2 wrong use.',
    )
    parser.add_argument('source', type=Path, help=source)
    parser.add_argument('out', nargs='?', default=out, help=f'folder to fill ({out or "data/…"})')
    parser.add_argument('--workers', type=int, help='processes (one per core)')
    parser.add_argument(
        '--dry-run', action='store_true', help='show what would come of it; write no data set'
    )
    parser.add_argument(
        '--skip-broken', action='store_true', help='leave out what is missing or cannot be read'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what was converted with other options'
    )
    if shares is not None:
        parser.add_argument(
            '--seed', type=int, default=0, help='of the split, where it is drawn by lot (0)'
        )
        parser.add_argument(
            '--shares',
            nargs=3,
            type=float,
            default=list(shares),
            metavar=('TRAIN', 'VAL', 'TEST'),
            help=f'parts of the images ({" ".join(map(str, shares))})',
        )
    parser.set_defaults(fetch_list=None)
    if fetch_list:
        parser.add_argument(
            '--fetch-list',
            type=Path,
            metavar='FILE',
            help='write the addresses of missing files into FILE, for '
            'curl --fail --create-dirs --continue-at - --parallel --config FILE',
        )
    return parser


def convert(args: argparse.Namespace, plan: Plan, record: Mapping) -> None:
    """Write the data set, say what is in it, and exit with 1 if something was in the way.

    Args:
        args: of :func:`converter_parser`.
        record: what decides the files; see :func:`mmsmoke.datasets.writer.write_dataset`.
    """
    _report_missing(plan.missing, args.fetch_list)
    print(*plan.broken, sep='\n', end='\n' * bool(plan.broken))
    incomplete = bool(plan.missing or plan.broken)
    if not (plan.tasks or incomplete):
        raise UserError(f'nothing in {args.source} can be converted')
    # what is left out moves the others to other splits, so a later run without it starts anew
    left_out = len(plan.broken) if args.skip_broken else 0
    record = dict(record) | dict(source_sha256=plan.source, left_out=left_out)
    options = (args.out, plan.tasks, record, args.workers, args.overwrite)
    refuse_before(*options)
    if args.dry_run or not plan.tasks or (incomplete and not args.skip_broken):
        _summary(plan.rows, plan)
        print('nothing was written' + _HINT * (incomplete and not args.dry_run))
        sys.exit(1 if incomplete else 0)
    written = write_dataset(*options, args.skip_broken)
    print(*written.problems, sep='\n', end='\n' * bool(written.problems))
    _summary(written.rows, plan)
    print(f'{written.images} images written to {args.out}, {written.rate:.0f} a second')
    if written.problems and not (args.skip_broken and written.rows):
        print('there is no labels.csv yet' + _HINT)
        sys.exit(1)
    sheet = Path(args.out) / SHEET
    if written.images or not sheet.is_file():
        draw_samples(sheet, args.out, written.rows, plan.classes)
    known = 'classes' in record or plan.classes == ('smoke',)  # to check_dataset.py
    options = '' if known else f' --classes {" ".join(plan.classes)}'
    if not {*NEEDED} <= {*plan.splits}:
        options += f' --splits {" ".join(plan.splits)}'
    print(f'look at {sheet}, and check it: python tools/check_dataset.py {args.out}{options}')


def _summary(rows: Sequence[Mapping], plan: Plan) -> None:
    for table in narrow_tables(*count_table(rows, plan.classes), plan.classes):
        print(markdown_table(*table))
    for split in plan.splits:
        if rows and split not in [row['split'] for row in rows]:
            print(f'warning: there is no image in {split}')
    for note in plan.notes:
        print(note)


def _report_missing(missing: Sequence[Missing], fetch_list: Path | None) -> None:
    if not missing:
        return
    first = missing[0]
    files = 'file' if len(missing) == 1 else 'files'
    print(f'{len(missing)} missing {files}, such as {first.path}, from {first.url}')
    if fetch_list is None:
        print('--fetch-list FILE lists where to get them')
        return
    lines = [f'url = {_quoted(one.url)}\noutput = {_quoted(one.path)}\n' for one in missing]
    with atomic_path(fetch_list) as temporary:
        temporary.write_text(''.join(lines), encoding='utf-8')
    print(f'their addresses are in {fetch_list}')


def _quoted(text: str | Path) -> str:
    """Put text in quotation marks as curl reads it, which is as JSON does."""
    return json.dumps(str(text), ensure_ascii=False)

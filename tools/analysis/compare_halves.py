"""Tell whether a refiner helps bad maps and harms good ones, from results of compare_refiners."""

import argparse
from pathlib import Path

from mmsmoke.utils import read_json, write_json
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'results', nargs='+', help='JSON files, each of several classifiers of one seed'
    )
    parser.add_argument('--row', required=True, help='the refiner')
    parser.add_argument('--over', default='none', help='the row that it is compared with')
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    args = parser.parse_args()

    from mmsmoke.experiments.halves import compare_halves
    from mmsmoke.reports.sweep_tables import sweep_tables

    found = compare_halves([read_json(path) for path in args.results], args.row, args.over)
    print(sweep_tables(found))
    if args.out:
        write_json(args.out, found)


if __name__ == '__main__':
    main()

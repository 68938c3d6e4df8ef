"""Join result files of one sweep whose seeds or variants were done in parts."""

import argparse
from pathlib import Path

from mmsmoke.utils import write_json
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('parts', nargs='+', help='JSON files that tools/sweep.py wrote')
    parser.add_argument('--out', required=True, help='JSON file; may be one of the parts')
    args = parser.parse_args()

    from mmsmoke.experiments.run_records import merge_results, read_result
    from mmsmoke.reports.sweep_tables import sweep_tables

    merged = merge_results([read_result(part) for part in args.parts])
    write_json(Path(args.out), merged)
    print(f'{sweep_tables(merged)}\n\nnumbers   {args.out}')


if __name__ == '__main__':
    main()

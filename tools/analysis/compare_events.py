"""Compare the events that tools/monitor.py wrote with the labels of the frames that it saw."""

import argparse
from pathlib import Path

from mmsmoke.utils import write_json
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out_dir', help='folder of the monitor')
    parser.add_argument(
        'data_root', help='folder with labels.csv: a column camera, and names that hold times'
    )
    parser.add_argument('--utc', action='store_true', help='names hold universal time')
    parser.add_argument('--events', type=int, default=8, help='how many to show, the first')
    parser.add_argument('--out', type=Path, help='JSON file for the tables')
    args = parser.parse_args()

    from mmsmoke.experiments.monitor_run import compare_run
    from mmsmoke.visualization import rows_table

    cameras, events = compare_run(args.out_dir, args.data_root, args.utc)
    tables = [cameras, events[: args.events]]
    for table in filter(None, tables):
        print(rows_table(table), end='\n\n')
    if args.out:
        write_json(args.out, dict(data_root=args.data_root, tables=[*filter(None, tables)]))


if __name__ == '__main__':
    main()

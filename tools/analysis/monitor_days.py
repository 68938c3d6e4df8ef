"""Measure what a monitor gains from two thresholds, merging and means, on drawn days.

Each day is what four cameras see in 24 hours. A model looks at every frame once; then several ways
of making events of what it sees are compared with the events that there were. The settings of each
way are chosen on days of other seeds, out of equally many.
"""

import argparse
from functools import partial
from pathlib import Path

from mmsmoke.utils import sha256_of_file, write_json
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', help='checkpoint that holds its config')
    parser.add_argument('--seeds', nargs='+', type=int, default=[1, 2, 3, 4, 5], help='of the days')
    parser.add_argument(
        '--val-seeds', nargs='+', type=int, default=[101, 102, 103], help='of those that choose'
    )
    parser.add_argument('--tries', type=int, default=60, help='settings that each way may try')
    parser.add_argument('--size', type=int, default=128, help='side of the frames in pixels')
    parser.add_argument('--hours', type=float, default=24.0, help='of a day')
    parser.add_argument('--cameras', type=int, default=4, help='of each seed')
    parser.add_argument('--every', type=float, default=120.0, help='seconds between frames')
    parser.add_argument('--device', help='cpu, cuda …')
    parser.add_argument(
        '--work-dir', default='work_dirs/monitor_days', help='where shares are kept (%(default)s)'
    )
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    add_trust_option(parser)
    args = parser.parse_args()

    from mmsmoke.experiments.monitor_days import BATCH, Days, kept_day, measure_ways
    from mmsmoke.inference import SmokeInferencer
    from mmsmoke.reports.monitor_tables import ways_rows
    from mmsmoke.utils.environment import checkpoint_record, environment
    from mmsmoke.visualization import rows_table

    days = Days(args.size, args.hours, args.cameras, args.every)
    model = SmokeInferencer(args.model, device=args.device)
    predict = partial(model, batch_size=BATCH, show_progress=False)
    look = partial(kept_day, predict, days, args.work_dir, sha256_of_file(args.model))
    found = measure_ways(look, args.seeds, args.val_seeds, args.tries)
    rows = ways_rows(found)
    print(rows_table(rows))
    if args.out:
        about = dict(days=vars(days), seeds=args.seeds, val_seeds=args.val_seeds)
        about |= dict(checkpoint=checkpoint_record(args.model), environment=environment())
        write_json(args.out, dict(**about, tables=[rows], ways=found))


if __name__ == '__main__':
    main()

"""Measure how fast one process draws Smokestack scenes (nothing is written to disk)."""

import argparse
import time
from pathlib import Path

from mmsmoke.datasets.smokestack.scenes import PRESETS, Smokestack
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.cli import user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('--preset', choices=PRESETS, default='biased')
    parser.add_argument('--size', type=int, default=160, help='side of the scenes in pixels')
    parser.add_argument('--count', type=int, default=200, help='scenes to draw')
    parser.add_argument('--out', type=Path, help='JSON file for the result')
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    if args.count < 1:
        raise UserError(f'count must be at least 1, not {args.count}')
    source = Smokestack(args.preset, args.size)

    started = time.perf_counter()
    for index in range(args.count):
        source.scene('train', index)
    seconds = time.perf_counter() - started

    rate = args.count / seconds
    print(
        f'{args.count} scenes of {args.size} x {args.size} pixels in {seconds:.2f} s: '
        f'{rate:.1f} per second'
    )
    if args.out:
        write_json(
            args.out,
            {
                'scenes': args.count,
                'size': args.size,
                'seconds': round(seconds, 2),
                'scenes per second': round(rate, 1),
            },
        )


if __name__ == '__main__':
    main()

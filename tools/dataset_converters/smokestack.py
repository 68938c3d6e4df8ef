"""Draw the Smokestack data set."""

import argparse

from mmsmoke.datasets.smokestack.scenes import PRESETS
from mmsmoke.datasets.smokestack.writer import write_smokestack
from mmsmoke.datasets.writer import count_table
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import markdown_table


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        'out', nargs='?', help='folder to fill (default: data/smokestack-PRESET-SIZE)'
    )
    parser.add_argument('--preset', choices=PRESETS, default='biased', help='P(chimney | clear)')
    parser.add_argument('--size', type=int, default=128, help='side of the images in pixels')
    parser.add_argument('--train', type=int, default=2000, help='training images')
    parser.add_argument('--val', type=int, default=300, help='validation images')
    parser.add_argument(
        '--test', type=int, default=500, help='images in each of test, chimney_only, smoke_only'
    )
    parser.add_argument(
        '--pairs',
        type=int,
        default=0,
        help='scenes of which to draw exact pairs: without smoke, without chimneys, …',
    )
    parser.add_argument(
        '--unlabelled',
        type=int,
        default=0,
        help='images of the split unlabelled, which shows idle chimneys whatever the preset',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        default=['smoke'],
        metavar='CLASS',
        help='smoke, or smoke and steam, which rises from cooling towers',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, help='processes (default: one per core)')
    parser.add_argument('--p-chimney-smoke', type=float, default=1.0, metavar='P')
    parser.add_argument(
        '--p-chimney-clear', type=float, metavar='P', help="instead of the preset's"
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a Smokestack drawn with other parameters'
    )
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    args.out = args.out or f'data/smokestack-{args.preset}-{args.size}'
    written = write_smokestack(**vars(args))
    print(markdown_table(*count_table(written.rows)))
    print(f'{written.images} images drawn to {args.out}, {written.rate:.0f} per second')


if __name__ == '__main__':
    main()

"""Draw the Smokestack data set: single scenes, clips, or what cameras see in a day."""

import argparse

from mmsmoke.datasets.smokestack.clip_writer import write_clips, write_day
from mmsmoke.datasets.smokestack.scenes import PRESETS
from mmsmoke.datasets.smokestack.writer import write_smokestack
from mmsmoke.datasets.writer import count_table
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import markdown_table

SINGLE = ('train', 'val', 'test', 'pairs', 'unlabelled')
SCENES = ('preset', 'classes', 'p_chimney_smoke', 'p_chimney_clear')
EVERYWHERE = ('size', 'seed', 'workers', 'overwrite')
USES = {
    'single scenes': (write_smokestack, (*SINGLE, *SCENES, *EVERYWHERE)),
    'clips': (write_clips, ('clips', 'frames', 'every', *SCENES, *EVERYWHERE)),
    'days': (write_day, ('hours', 'cameras', 'every', *EVERYWHERE)),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'out',
        nargs='?',
        help='folder to fill (data/smokestack-PRESET-SIZE, smokestack-clips-PRESET-SIZE or '
        'smokestack-day-SIZE)',
    )
    parser.add_argument(
        '--preset', choices=PRESETS, default='biased', help='P(chimney | clear) (%(default)s)'
    )
    parser.add_argument('--size', type=int, default=128, help='side in pixels (%(default)s)')
    parser.add_argument('--train', type=int, default=2000, help='training images (%(default)s)')
    parser.add_argument('--val', type=int, default=300, help='validation images (%(default)s)')
    parser.add_argument(
        '--test',
        type=int,
        default=500,
        help='images in each of test, chimney_only, smoke_only (%(default)s)',
    )
    parser.add_argument(
        '--pairs',
        type=int,
        default=0,
        help='scenes of which to draw exact pairs: without smoke, without chimneys, … '
        '(%(default)s)',
    )
    parser.add_argument(
        '--unlabelled',
        type=int,
        default=0,
        help='images of the split unlabelled, which shows idle chimneys whatever the preset '
        '(%(default)s)',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        default=['smoke'],
        metavar='CLASS',
        help='smoke, or smoke and steam, which rises from cooling towers (smoke)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of all that is drawn (%(default)s)')
    parser.add_argument('--workers', type=int, help='processes (one per core)')
    parser.add_argument(
        '--p-chimney-smoke',
        type=float,
        default=1.0,
        metavar='P',
        help='P(chimney | smoke) (%(default)s)',
    )
    parser.add_argument(
        '--p-chimney-clear', type=float, metavar='P', help="P(chimney | clear) (the preset's)"
    )
    moving = parser.add_argument_group('moving scenes, in the place of single ones')
    moving.add_argument('--clips', type=int, metavar='N', help='N clips, split 3 : 1 : 1')
    moving.add_argument('--frames', type=int, default=8, help='of each clip (%(default)s)')
    moving.add_argument(
        '--day',
        type=float,
        nargs='?',
        const=24.0,
        dest='hours',
        metavar='HOURS',
        help='what cameras see in so many hours (24 if none are named)',
    )
    moving.add_argument('--cameras', type=int, default=4, help='of a day (%(default)s)')
    moving.add_argument(
        '--every',
        type=float,
        metavar='SECONDS',
        help='time between two frames (2 in clips, 60 in a day)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a Smokestack drawn with other parameters'
    )
    args = parser.parse_args()
    if args.clips is not None and args.hours is not None:
        parser.error('choose --clips or --day')
    args.kind = 'single scenes' if args.hours is None else 'days'
    args.kind = args.kind if args.clips is None else 'clips'
    for name in (*SINGLE, *SCENES, 'frames', 'cameras', 'every'):
        unused = name not in USES[args.kind][1]
        if unused and getattr(args, name) != parser.get_default(name):
            parser.error(f'--{name.replace("_", "-")} is of no use for {args.kind}')
    if args.every is None:
        args.every = 2.0 if args.kind == 'clips' else 60.0
    return args


@user_errors_as_text
def main() -> None:
    args = parse_args()
    write, names = USES[args.kind]
    folders = {
        'single scenes': f'smokestack-{args.preset}-{args.size}',
        'clips': f'smokestack-clips-{args.preset}-{args.size}',
        'days': f'smokestack-day-{args.size}',
    }
    out = args.out or f'data/{folders[args.kind]}'
    written = write(out, **{name: getattr(args, name) for name in names})
    print(markdown_table(*count_table(written.rows, args.classes)))
    print(f'{written.images} images drawn to {out}, {written.rate:.0f} per second')


if __name__ == '__main__':
    main()

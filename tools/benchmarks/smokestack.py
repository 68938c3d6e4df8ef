"""Measure how fast one process draws Smokestack scenes (nothing is written to disk)."""

from benchmark import options, positive, timed

from mmsmoke.datasets.smokestack.scenes import PRESETS, Smokestack
from mmsmoke.utils import write_json
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = options(__doc__)
    parser.add_argument('--preset', choices=PRESETS, default='biased')
    parser.add_argument('--size', type=positive, default=160, help='side of the scenes in pixels')
    parser.add_argument('--count', type=positive, default=200, help='scenes to draw')
    args = parser.parse_args()
    source = Smokestack(args.preset, args.size)

    def draw() -> None:
        for index in range(args.count):
            source.scene('train', index)

    _, seconds = timed(draw)
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

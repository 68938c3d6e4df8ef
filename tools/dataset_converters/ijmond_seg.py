"""Convert IJmond-seg: panoramas with outlined smoke become images with masks and labels."""

from pathlib import Path

from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.ijmond_seg import DAY, PROTOCOLS, VIEWS, plan_ijmond_seg
from mmsmoke.utils import UserError, read_json
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__,
        'folder with _annotations.coco.json, and the images there or in images/',
        None,
        shares=(0.6, 0.2, 0.2),
    )
    parser.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        default='clean',
        help="clean: each camera's views, split by camera and day; frames: the same for whole "
        'panoramas; thesis: the windows of arXiv 2507.21959 (clean)',
    )
    parser.add_argument(
        '--opacity',
        choices=('merged', 'classes'),
        default='merged',
        help='one class or two (merged)',
    )
    parser.add_argument(
        '--day', default=DAY, metavar='PATTERN', help='regular expression for the day in file names'
    )
    parser.add_argument('--hold-out', metavar='CAMERA', help='all of its images go to test')
    parser.add_argument(
        '--views', type=Path, metavar='FILE', help='JSON: camera -> [[x, y, side], …], for clean'
    )
    args = parser.parse_args()
    args.out = args.out or f'data/ijmond-{args.protocol}'
    options = dict(
        protocol=args.protocol,
        opacities=args.opacity == 'classes',
        shares=args.shares,
        day=args.day,
        held_out=args.hold_out,
        views=VIEWS if args.views is None else _read_views(args.views),
        seed=args.seed,
    )
    plan = plan_ijmond_seg(args.source, **options)
    convert(args, plan, dict(converter='ijmond_seg', **options))


def _read_views(path: Path) -> dict:
    views = read_json(path)
    try:
        return {camera: [_place(*place) for place in places] for camera, places in views.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f'{path} holds no views: {error}') from error


def _place(x: int, y: int, side: int) -> tuple[int, int, int]:
    x, y, side = int(x), int(y), int(side)
    if min(x, y) < 0 or side < 1:
        raise ValueError(f'({x}, {y}) and side {side} are no square in a picture')
    return x, y, side


if __name__ == '__main__':
    main()

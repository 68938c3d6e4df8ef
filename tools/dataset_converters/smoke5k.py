"""Convert SMOKE5K: copy the photographs, turn white masks into masks of ones."""

from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.smoke5k import SPLITTINGS, plan_smoke5k
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__, 'folder of the unpacked archive, with train/ and test/', 'data/smoke5k'
    )
    parser.add_argument(
        '--split',
        choices=SPLITTINGS,
        default='scene',
        help='keep the official train and test, which share most of their scenes, and take val '
        'out of train; or deal all out anew, each scene into one split (scene)',
    )
    parser.add_argument('--no-synthetic', action='store_true', help='without the composites')
    args = parser.parse_args()
    options = dict(
        splitting=args.split,
        shares=args.shares,
        seed=args.seed,
        synthetic=not args.no_synthetic,
    )
    plan = plan_smoke5k(args.source, **options)
    convert(args, plan, dict(converter='smoke5k', **options))


if __name__ == '__main__':
    main()

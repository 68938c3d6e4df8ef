"""Convert RISE: some frames of each clip, with the label of the clip."""

from pathlib import Path

from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.rise import SPLITTINGS, official_parts, plan_rise
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__,
        'the JSON file of all clips, such as metadata_02242020.json; or, with --official, the '
        'train part of a split, such as metadata_train_split_0_by_camera.json',
        'data/rise',
        fetch_list=True,
    )
    parser.add_argument(
        '--clips', type=Path, required=True, metavar='DIR', help='folder with the videos or frames'
    )
    parser.add_argument(
        '--official',
        action='store_true',
        help='the source is the train part of an official split, its other parts lie beside it',
    )
    parser.add_argument(
        '--split', choices=SPLITTINGS, default='camera', help='what no two splits share (camera)'
    )
    parser.add_argument('--frames', type=int, default=1, help='of each clip, evenly spread (1)')
    parser.add_argument(
        '--most-clips', type=int, metavar='N', help='take N clips, half of them with smoke'
    )
    args = parser.parse_args()
    if args.official and 'by_date' in args.source.name:
        args.split = 'date'
    options = dict(
        splitting=args.split,
        frames=args.frames,
        most_clips=args.most_clips,
        shares=args.shares,
        seed=args.seed,
    )
    sources = official_parts(args.source) if args.official else dict(all=args.source)
    plan = plan_rise(sources, args.clips, **options)
    convert(args, plan, dict(converter='rise', source=args.source.name, **options))


if __name__ == '__main__':
    main()

"""Convert IJmond's videos: some frames of each, with the label of the video."""

from pathlib import Path

from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.ijmond_videos import CAMERAS, plan_ijmond_videos
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__,
        'the JSON file, such as metadata_ijmond_jan_22_2024.json',
        'data/ijmond-videos',
        fetch_list=True,
    )
    parser.add_argument(
        '--clips', type=Path, required=True, metavar='DIR', help='folder with the videos or frames'
    )
    parser.add_argument('--frames', type=int, default=6, help='of each video, evenly spread (6)')
    parser.add_argument('--hold-out', metavar='CAMERA', help=f'for test: {", ".join(CAMERAS)}')
    args = parser.parse_args()
    options = dict(frames=args.frames, shares=args.shares, held_out=args.hold_out, seed=args.seed)
    plan = plan_ijmond_videos(args.source, args.clips, **options)
    convert(args, plan, dict(converter='ijmond_videos', **options))


if __name__ == '__main__':
    main()

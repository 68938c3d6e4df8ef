"""Convert IJmond's boxes: frames, with smoke where people agree on a box."""

from pathlib import Path

from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.ijmond_bbox import plan_ijmond_bbox
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__,
        'the JSON file, such as bbox_labels_1_aug_2025.json',
        'data/ijmond-bbox',
        fetch_list=True,
    )
    parser.add_argument(
        '--pictures', type=Path, required=True, metavar='DIR', help='folder with the frames'
    )
    parser.add_argument(
        '--drop-negatives',
        action='store_true',
        help='without the frames all of whose boxes were removed, which may hold other smoke',
    )
    args = parser.parse_args()
    options = dict(weak_negatives=not args.drop_negatives, shares=args.shares, seed=args.seed)
    plan = plan_ijmond_bbox(args.source, args.pictures, **options)
    convert(args, plan, dict(converter='ijmond_bbox', **options))


if __name__ == '__main__':
    main()

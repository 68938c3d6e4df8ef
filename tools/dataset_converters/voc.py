"""Convert PASCAL VOC 2012, with the masks of SBD: 20 classes, images, masks and labels."""

from pathlib import Path

from mmsmoke.converters.checksum import write_checksums
from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.converters.voc import LABELS, TRAIN_LISTS, plan_voc
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__, 'folder VOCdevkit, with VOC2012 in it', 'data/voc12', shares=None
    )
    parser.add_argument(
        '--sbd',
        type=Path,
        metavar='FOLDER',
        help='benchmark_RELEASE or SegmentationClassAug (that in VOCdevkit or VOC2012)',
    )
    parser.add_argument(
        '--train-list',
        choices=TRAIN_LISTS,
        default='train_aug',
        help="train_aug: VOC's training images and all of SBD's but those of VOC's val part; "
        "train: VOC's alone, without SBD (train_aug)",
    )
    parser.add_argument(
        '--labels',
        choices=LABELS,
        default='masks',
        help='masks: an image has the classes that its mask shows; boxes: those of its XML file '
        '(masks)',
    )
    args = parser.parse_args()
    options = dict(train_list=args.train_list, labels=args.labels)
    plan = plan_voc(args.source, args.sbd, **options)
    convert(args, plan, dict(converter='voc', classes=list(plan.classes), **options))
    write_checksums(args.out, plan.classes)


if __name__ == '__main__':
    main()

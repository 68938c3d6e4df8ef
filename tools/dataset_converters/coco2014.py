"""Convert COCO 2014: instances become masks of 80 classes, and images get their labels."""

from mmsmoke.converters.checksum import write_checksums
from mmsmoke.converters.coco2014 import plan_coco2014
from mmsmoke.converters.convert import convert, converter_parser
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = converter_parser(
        __doc__,
        'folder with annotations/, train2014/ and val2014/',
        'data/coco14',
        shares=None,
        fetch_list=True,
    )
    args = parser.parse_args()
    plan = plan_coco2014(args.source)
    convert(args, plan, dict(converter='coco2014', classes=list(plan.classes)))
    write_checksums(args.out, plan.classes)


if __name__ == '__main__':
    main()

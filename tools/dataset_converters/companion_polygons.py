"""Draw where chimneys stand, a few polygons a camera view, as the masks in context/."""

import argparse

from mmsmoke.converters.companions import draw_companions
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import markdown_table


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data_root', help='data set in the standard layout')
    parser.add_argument('polygons', help='JSON file, see docs/cooccurrence.md')
    parser.add_argument(
        '--classes', nargs='+', default=['smoke'], help='columns of labels.csv that are classes'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace masks that are there already'
    )
    args = parser.parse_args()
    counts = draw_companions(args.data_root, args.polygons, args.classes, args.overwrite)
    print(markdown_table(['view', 'masks'], sorted(counts.items())))
    missing = [view for view, count in counts.items() if not count]
    if missing:
        print(f'no polygons, so no masks: {", ".join(sorted(missing))}')


if __name__ == '__main__':
    main()

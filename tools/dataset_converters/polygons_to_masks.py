"""Draw the masks that an annotation tool has outlined, and set the labels of their images.

It reads COCO's instances, LabelMe's JSON, the XML of "CVAT for images 1.1" and Label Studio's JSON.
"""

import argparse
from pathlib import Path

from mmsmoke.converters.polygons.store import said, store_masks
from mmsmoke.datasets.writer import classes_of
from mmsmoke.utils.cli import user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='file, or folder of LabelMe files')
    parser.add_argument(
        '--out', type=Path, required=True, help='data set to correct, or new folder to fill'
    )
    parser.add_argument(
        '--images', type=Path, metavar='DIR', help='images or data set, for a new folder'
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        help='labels of the values 1, 2, … (those in source.json of the data set, or smoke)',
    )
    parser.add_argument(
        '--split', default='train', help='of the images of a new folder (%(default)s)'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace masks and labels of a data set'
    )
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    classes = args.classes or classes_of(args.images or args.out)
    done = store_masks(
        args.source, args.out, args.images, classes, args.split, overwrite=args.overwrite
    )
    print(f'{args.out}: {said(done.masks)}, {done.labels} labels changed')
    if done.untouched:
        print(f'{done.untouched} images are not annotated yet and were left as they are')


if __name__ == '__main__':
    main()

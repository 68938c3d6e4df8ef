"""Outline masks for COCO, LabelMe, CVAT or Label Studio, or list the boxes and areas of blobs."""

import argparse
from pathlib import Path

from mmsmoke.converters.polygons.blobs import SIMPLIFY
from mmsmoke.converters.polygons.sources import pictures_of
from mmsmoke.converters.polygons.writers import FORMATS, LOCAL_FILES, write_polygons
from mmsmoke.datasets.writer import classes_of
from mmsmoke.utils.cli import user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source',
        type=Path,
        help='data set with true masks, or folder of masks, as tools/infer.py and label runs write',
    )
    parser.add_argument('--format', choices=FORMATS, required=True)
    parser.add_argument(
        '--out', type=Path, required=True, help='file to write; for labelme a folder'
    )
    parser.add_argument(
        '--images', type=Path, metavar='DIR', help='images or data set that a folder of masks is of'
    )
    parser.add_argument('--splits', nargs='+', default=(), help='of a data set (all)')
    parser.add_argument(
        '--classes',
        nargs='+',
        help='of the values 1, 2, … (those in source.json of the data set, or smoke)',
    )
    parser.add_argument(
        '--simplify',
        type=float,
        metavar='PIXELS',
        help='that an outline may lie beside the true one; 0 keeps every pixel '
        f'({SIMPLIFY}, and 0 for blobs of which it would change more than 1 %%)',
    )
    parser.add_argument(
        '--min-area',
        type=int,
        default=0,
        metavar='PIXELS',
        help='leave out smaller blobs and close smaller holes (%(default)s)',
    )
    parser.add_argument(
        '--model',
        metavar='NAME',
        help='the masks are proposals of this model; for cvat and label-studio',
    )
    parser.add_argument(
        '--url',
        metavar='PREFIX',
        help=f'what label-studio puts before the names of images ({LOCAL_FILES})',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace what is there')
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    classes = args.classes or classes_of(args.images or args.source)
    pictures, without = pictures_of(args.source, args.images, classes, args.splits)
    done = write_polygons(
        args.out,
        pictures,
        args.format,
        classes,
        simplify=args.simplify,
        min_area=args.min_area,
        model=args.model,
        url=args.url,
        overwrite=args.overwrite,
    )
    print(f'{args.out}: {done["blobs"]} outlines in {done["images"]} images')
    if without:
        print(f'{without} images have no mask and were left out')
    print(f'labels that the project needs: {", ".join(done["labels"])}')


if __name__ == '__main__':
    main()

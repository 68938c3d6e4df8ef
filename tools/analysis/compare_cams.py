"""Draw the activation maps of several classifiers side by side, on the same images."""

import argparse

from mmsmoke.utils import read_json
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='PNG file')
    parser.add_argument(
        'results',
        nargs='+',
        metavar='TITLE=RESULT',
        help='title of a column and what tools/test.py --out wrote about the classifier',
    )
    parser.add_argument('--split', default='test')
    parser.add_argument('--images', type=int, default=5, help='how many')
    parser.add_argument('--width', type=int, default=192, help='of each picture, in pixels')
    add_trust_option(parser)
    args = parser.parse_args()
    pairs = [pair.partition('=') for pair in args.results]
    if not all(path for _, _, path in pairs):
        parser.error('each result is TITLE=FILE')
    if len({title for title, _, _ in pairs}) < len(pairs):
        parser.error('two results have one title')

    from mmsmoke.reports.sheets import draw_cams

    results = {title: read_json(path) for title, _, path in pairs}
    draw_cams(args.out, results, args.split, args.images, args.width)


if __name__ == '__main__':
    main()

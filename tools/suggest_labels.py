"""Suggest which images to label next: those of which a model is unsure, or that two dispute."""

import argparse
import sys
from pathlib import Path

from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text

FILES = {
    'coco': 'proposals.json',
    'labelme': 'proposals',
    'cvat': 'proposals.xml',
    'label-studio': 'proposals.json',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='data set, or folder of images that are in none')
    parser.add_argument(
        'models',
        nargs='*',
        metavar='MODEL',
        help='checkpoint that holds its config, or CONFIG:CHECKPOINT; two for disagreement',
    )
    parser.add_argument(
        '--by',
        choices=('entropy', 'disagreement', 'random'),
        help='what makes an image worth a label (entropy of one model, disagreement of two)',
    )
    parser.add_argument('--count', type=int, default=20, help='of images (%(default)s)')
    parser.add_argument('--out', type=Path, required=True, help='new folder to fill')
    parser.add_argument(
        '--splits', nargs='+', default=['train'], help='of a data set; not val or test (train)'
    )
    parser.add_argument(
        '--done', nargs='+', type=Path, default=(), metavar='CSV', help='suggestions of before'
    )
    parser.add_argument(
        '--format', choices=FILES, help="also write the first model's masks for this tool"
    )
    parser.add_argument('--seed', type=int, default=0, help='of random (%(default)s)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 … (an accelerator, if there is one)')
    add_trust_option(parser)
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    by = args.by or ('disagreement' if len(args.models) == 2 else 'entropy')
    if args.format and not args.models:
        raise UserError('--format needs a model, whose masks are to be corrected')

    from mmsmoke.converters.polygons import pictures_of, write_polygons
    from mmsmoke.inference.inferencer import SmokeInferencer
    from mmsmoke.inference.suggest import SUGGESTED, suggest

    models = [SmokeInferencer(*config_and_checkpoint(one), args.device) for one in args.models]
    found = suggest(args.data, models, args.out, by, args.count, args.splits, args.done, args.seed)
    print(f'{len(found.chosen)} images: {args.out / SUGGESTED}')
    if args.format:
        classes = models[0].classes
        pictures, _ = pictures_of(args.out, args.data, classes)
        path = args.out / FILES[args.format]
        model = Path(args.models[0]).stem if args.format in ('cvat', 'label-studio') else None
        done = write_polygons(path, pictures, args.format, classes, model=model)
        print(f'{done["blobs"]} outlines to correct: {path}')
        print(f'labels that the project needs: {", ".join(done["labels"])}')
    for error in found.skipped:
        print(f'skipped: {error}', file=sys.stderr)
    sys.exit(1 if found.skipped else 0)


def config_and_checkpoint(text: str) -> tuple[str, str | None]:
    config, colon, checkpoint = text.rpartition(':')
    return (config, checkpoint) if colon and not Path(text).exists() else (text, None)


if __name__ == '__main__':
    main()

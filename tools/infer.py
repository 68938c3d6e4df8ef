"""Finds smoke in images, folders and videos with a trained model."""

import argparse
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

from mmsmoke.apis import SmokeInferencer
from mmsmoke.apis.inputs import is_video
from mmsmoke.apis.outputs import write_areas
from mmsmoke.apis.video import annotated_path
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Without --out, the areas go to standard output.'
    )
    parser.add_argument('model', help='config, or a checkpoint that holds its config')
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='image, folder or video')
    parser.add_argument('--weights', help='checkpoint (MODEL)')
    parser.add_argument('--out', help='folder for masks, overlays, annotated videos and areas')
    parser.add_argument('--batch-size', type=int, default=8, help='images at a time (%(default)s)')
    parser.add_argument(
        '--threshold', type=float, help="of a pixel's score (the model's own decision)"
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 … (an accelerator, if there is one)')
    parser.add_argument(
        '--every', type=int, default=1, help='videos: look at each so-manieth frame (%(default)s)'
    )
    parser.add_argument(
        '--smoothing',
        type=float,
        default=0.0,
        help='videos: share of earlier frames in a score map, 0 to 1 (%(default)s)',
    )
    parser.add_argument(
        '--no-overlays', action='store_true', help='neither overlays nor annotated videos'
    )
    add_trust_option(parser)
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    videos = [path for path in args.inputs if is_video(path)]
    images = [path for path in args.inputs if not is_video(path)]
    if images and videos and args.out is None:
        raise UserError('images and videos have different tables: name a folder with --out')
    for name, count in Counter(Path(path).stem for path in videos).items():
        if count > 1 and args.out:
            raise UserError(f'{count} videos are called {name}; do each with another --out')
    sys.stdout.reconfigure(errors='surrogateescape')  # names that are not UTF-8 stay as they are
    inferencer = SmokeInferencer(args.model, args.weights, args.device, args.threshold)
    in_video = dict(every=args.every, smoothing=args.smoothing, batch_size=args.batch_size)
    # says what is wrong with a video before the first image is looked at
    streams = [inferencer.stream_video(path, **in_video) for path in videos]
    if args.out is None:
        streams += [inferencer.stream(images, args.batch_size)] if images else []
        for _ in write_areas(sys.stdout, chain.from_iterable(streams)):
            pass
        return
    for path in videos:
        annotated_path(args.out, path)
    overlays = not args.no_overlays
    if images:
        found = inferencer(images, args.out, args.batch_size, overlays)
        print(f'{len(found)} images: {Path(args.out, "areas.csv")}')
    for path in videos:
        found = inferencer.video(path, args.out, overlays=overlays, **in_video)
        print(f'{len(found)} frames of {path}: {Path(args.out, "videos", Path(path).stem)}.csv')


if __name__ == '__main__':
    main()

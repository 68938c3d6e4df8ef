"""Find smoke in images, folders and videos with a trained model.

What cannot be read is skipped and named at the end; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.cli import add_trust_option, number_of, user_errors_as_text

if TYPE_CHECKING:
    from mmsmoke.apis import SmokeInferencer
    from mmsmoke.inference.outputs import OnError, Prediction


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
        '--threshold',
        metavar='NUMBER|JSON',
        help="of a pixel's score, or what tools/search_threshold.py has found (the model's own "
        'decision)',
    )
    parser.add_argument(
        '--refine',
        nargs='+',
        default=(),
        metavar='REFINER',
        help='what improves the scores, as crf, crf:translucent or affinity:CONFIG:CHECKPOINT',
    )
    parser.add_argument(
        '--tile', type=int, help='side in pixels of the tiles that larger pictures are cut into'
    )
    parser.add_argument(
        '--overlap', type=int, help='of neighbouring tiles, in pixels (an eighth of a tile)'
    )
    parser.add_argument(
        '--zones', metavar='FILE', help='zones and ignored areas, as tools/label.py writes them'
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 … (an accelerator, if there is one)')
    parser.add_argument(
        '--every', type=int, default=1, help='videos: process every N-th frame (%(default)s)'
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
    parser.add_argument(
        '--strict',
        action='store_true',
        help='stop at the first image or video that cannot be read, with exit code 2',
    )
    add_trust_option(parser)
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    """Do all that can be read; name the others at the end and exit with 1 if there are any."""
    args = parse_args()
    skipped: list[DataError] = []
    try:
        with one_line_warnings():
            look(args, None if args.strict else skipped.append)
    finally:
        for error in skipped:
            print(f'skipped: {error}', file=sys.stderr)
    if skipped:
        print(f'error: skipped what cannot be read: {len(skipped)} in all', file=sys.stderr)
        sys.exit(1)


def look(args: argparse.Namespace, on_error: OnError | None) -> None:
    from mmsmoke.apis import SmokeInferencer
    from mmsmoke.inference.frames import is_video
    from mmsmoke.inference.video import annotated_path

    videos = [path for path in args.inputs if is_video(path)]
    images = [path for path in args.inputs if path not in videos]
    if images and videos and args.out is None:
        raise UserError('images and videos have different tables: name a folder with --out')
    for name, count in Counter(Path(path).stem for path in videos).items():
        if count > 1 and args.out:
            raise UserError(f'{count} videos are called {name}; do each with another --out')
    inferencer = SmokeInferencer(
        args.model,
        args.weights,
        args.device,
        threshold_of(args.threshold),
        refine=args.refine,
        tile=args.tile,
        overlap=args.overlap,
        zones=args.zones,
    )
    options = dict(every=args.every, smoothing=args.smoothing, batch_size=args.batch_size)
    for path in videos:  # says what is wrong with them before the first image is looked at
        with suppress(*([] if args.strict else [DataError])):
            inferencer.stream_video(path, **options)
    if args.out is None:
        if images:
            found = inferencer.stream(images, args.batch_size, on_error=on_error)
        else:
            found = frames_of(inferencer, videos, options, on_error)
        print_areas(found, inferencer.columns(in_video=bool(videos)))
        return
    for path in videos:
        annotated_path(args.out, path)
    overlays = not args.no_overlays
    if images:
        found = inferencer(images, args.out, args.batch_size, overlays, on_error=on_error)
        print(f'{len(found)} images: {Path(args.out, "areas.csv")}')
    for path in videos:
        with tolerating(on_error):
            found = inferencer.video(path, args.out, overlays=overlays, **options)
            print(f'{len(found)} frames of {path}: {Path(args.out, "videos", Path(path).stem)}.csv')


def threshold_of(given: str | None) -> float | dict | None:
    """Return a number, or what a file says, which may be a threshold for each class."""
    if given is None:
        return None
    if given.endswith('.json'):
        from mmsmoke.experiments.threshold import read_threshold

        return read_threshold(given)['threshold']
    return number_of(given)


def frames_of(
    inferencer: SmokeInferencer, videos: Sequence[str], options: dict, on_error: OnError | None
) -> Iterator[Prediction]:
    for path in videos:
        with tolerating(on_error):
            yield from inferencer.stream_video(path, **options)


def print_areas(found: Iterable[Prediction], columns: Sequence[str]) -> None:
    from mmsmoke.inference.outputs import write_areas, writing

    sys.stdout.reconfigure(errors='surrogateescape')  # names that are not UTF-8 stay as they are
    with writing('standard output'):
        for _ in write_areas(sys.stdout, found, columns):
            pass
        sys.stdout.flush()


@contextmanager
def tolerating(on_error: OnError | None) -> Iterator[None]:
    """Hand an error in the user's files over, if there is somebody who takes it."""
    try:
        yield
    except DataError as error:
        if on_error is None:
            raise
        on_error(error)


@contextmanager
def one_line_warnings() -> Iterator[None]:
    """Show warnings as one line each, and nothing that OpenCV says of files it cannot read."""
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'
    try:
        yield
    finally:
        warnings.formatwarning = before


if __name__ == '__main__':
    main()

"""Watch cameras with a trained model: find smoke, and write down when it began and ended.

Ctrl-C ends it; called again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import warnings
from pathlib import Path

import cv2

from mmsmoke.inference.monitor.settings import (
    add_settings,
    check_names,
    named_cameras,
    read_settings,
)
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', help='checkpoint that holds its config, or a config')
    parser.add_argument(
        'source',
        nargs='?',
        metavar='SOURCE',
        help='folder that grows, video, address of a stream (rtsp://, http:// …), or - for JPEG '
        'and PNG files that follow each other on standard input',
    )
    parser.add_argument(
        '--camera', action='append', default=[], metavar='NAME=SOURCE', help='one of several'
    )
    parser.add_argument(
        '--each-folder', action='store_true', help='each folder in SOURCE is a camera'
    )
    parser.add_argument('--out', default='monitor', help='folder to write into (%(default)s)')
    parser.add_argument(
        '--once', action='store_true', help='end with the last picture that is there now'
    )
    parser.add_argument(
        '--config', metavar='FILE', help='JSON file of cameras and settings; options go before it'
    )
    model = parser.add_argument_group('model')
    model.add_argument('--weights', help='checkpoint (MODEL)')
    model.add_argument('--device', help='cpu, cuda, cuda:1 … (an accelerator, if there is one)')
    model.add_argument(
        '--threshold', type=float, help="of a pixel's score (the model's own decision)"
    )
    model.add_argument(
        '--refine', nargs='+', default=(), metavar='REFINER', help='as for tools/infer.py'
    )
    add_trust_option(model)
    add_settings(parser.add_argument_group('settings'))
    return parser.parse_intermixed_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    known, settings = read_settings(args.config, vars(args))
    cameras = cameras_of(args) or known

    check_names(cameras)
    quieten()

    from mmsmoke.inference import CameraMonitor, SmokeInferencer

    model = SmokeInferencer(
        args.model, args.weights, args.device, args.threshold, refine=args.refine
    )
    monitor = CameraMonitor(model, cameras, args.out, **vars(settings))

    def stop(kind, _) -> None:
        signal.signal(kind, signal.SIG_DFL)  # the second one ends it wherever it is
        monitor.stop()

    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, stop)
    print(f'watching {", ".join(cameras)}: {Path(args.out, "timeline.html")}', flush=True)
    count = monitor.run(args.once)
    print(f'{count} events: {Path(args.out, "events.csv")}')
    if monitor.stopped.is_set():
        print('stopped', file=sys.stderr)


def quieten() -> None:
    """Let OpenCV say nothing, which would repeat addresses with their passwords."""
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'


def cameras_of(args: argparse.Namespace) -> dict[str, str]:
    """Return the cameras that are named in the call."""
    cameras = named_cameras(args.camera)
    if args.source is None:
        if args.each_folder:
            raise UserError('--each-folder needs a SOURCE')
        return cameras
    if cameras:
        raise UserError('name a SOURCE or --camera, not both')
    if not args.each_folder:
        is_file = args.source != '-' and '://' not in args.source
        name = Path(args.source).resolve().stem if is_file else 'camera'
        name = re.sub(r'[^A-Za-z0-9_.-]', '_', name).lstrip('_.-')
        return {name or 'camera': args.source}
    if not Path(args.source).is_dir():
        raise UserError(f'{args.source} is no folder')
    folders = sorted(path for path in Path(args.source).iterdir() if path.is_dir())
    folders = [path for path in folders if not path.name.startswith('.')]
    if not folders:
        raise UserError(f'{args.source} has no folders')
    return {path.name: str(path) for path in folders}


if __name__ == '__main__':
    main()

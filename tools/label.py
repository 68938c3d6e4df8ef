"""Label pictures or a video by keyboard, correct masks and draw zones, in the browser.

The page is served to this machine only. Pictures stay where they are; labels.csv is written beside
them after each key, and the next start goes on where the last one ended.
"""

import argparse
import sys
import tempfile
import warnings
import webbrowser
from collections import Counter
from pathlib import Path

from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='data set, folder of pictures, or video')
    parser.add_argument(
        '--classes', nargs='+', help='columns of labels.csv, up to nine (what a converter noted '
        'in source.json, or smoke)',
    )  # fmt: skip
    parser.add_argument(
        '--list', metavar='FILE', help='CSV of pictures to look at first: image[,smoke], or what '
        'tools/infer.py writes',
    )  # fmt: skip
    parser.add_argument(
        '--proposals', metavar='DIR', help='masks to correct: --out of tools/infer.py, or PNGs'
    )
    parser.add_argument('--zones', metavar='FILE', help='JSON of polygons (FOLDER/zones.json)')
    video = parser.add_argument_group('videos')
    video.add_argument('--every', type=int, metavar='N', help='take every N-th frame')
    video.add_argument('--fps', type=float, help='take so many frames a second (1)')
    video.add_argument('--out', help='folder for the frames (the name of the video)')
    splits = parser.add_argument_group(
        'splits', 'of pictures that have none: whole groups go to one, with others of their group'
    )
    splits.add_argument(
        '--shares', nargs=3, type=float, default=(0.6, 0.2, 0.2), metavar=('TRAIN', 'VAL', 'TEST'),
        help='of the pictures (0.6 0.2 0.2)',
    )  # fmt: skip
    splits.add_argument('--split', metavar='NAME', help='one for all, instead')
    splits.add_argument(
        '--group', metavar='PATTERN', help='regular expression for the part of a name that tells '
        'what belongs together (camera and day; the folder, where names tell no day)',
    )  # fmt: skip
    page = parser.add_argument_group('page')
    page.add_argument('--port', type=int, default=0, help='0 is any free one (%(default)s)')
    page.add_argument('--no-browser', action='store_true', help='print the address only')
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'

    from mmsmoke.datasets.writer import classes_of
    from mmsmoke.labelling.desk import Desk
    from mmsmoke.labelling.server import LabelServer

    folder = folder_of(args)
    shares = dict(zip(('train', 'val', 'test'), args.shares, strict=True))
    desk = Desk(
        folder,
        args.classes or classes_of(folder),
        args.list,
        args.proposals,
        args.zones,
        {args.split: 1} if args.split else shares,
        args.group,
    )
    with LabelServer(desk, args.port) as server:
        print(f'{counts(desk)}; splits: {splits_of(desk)}')
        print(f'{server.address} (Ctrl-C ends)', flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix='mmsmoke-') as private:
                if not args.no_browser:
                    open_page(server.address, Path(private))
                server.serve_forever()
        except KeyboardInterrupt:
            desk.table.refresh()
            print(f'\n{counts(desk)}: {desk.path}' if desk.path.exists() else '\nno labels')
            sys.stdout.flush()


def open_page(address: str, private: Path) -> None:
    """Open the page in the browser by a file that leads to it and that nobody else can read.

    What a browser is told to open stands in the list of processes, which other users can read.
    """
    path = private / 'label.html'
    path.touch(mode=0o600)
    path.write_text(
        '<!doctype html><meta charset="utf-8"><title>Labels</title>'
        f'<meta http-equiv="refresh" content="0; url={address}"><a href="{address}">Labels</a>'
    )
    webbrowser.open(path.as_uri())


def folder_of(args: argparse.Namespace) -> Path:
    """Return the folder to label, made of a video where one is named."""
    path = Path(args.folder)
    if path.is_dir():
        given = [name for name in ('every', 'fps', 'out') if getattr(args, name) is not None]
        if given:
            raise UserError(f'--{given[0]} is for a video; {path} is a folder')
        return path
    if not path.exists():
        raise UserError(f'{path} not found')
    from mmsmoke.labelling.sampling import sample_video

    return sample_video(path, args.out, args.every, args.fps)


def counts(desk) -> str:
    found = desk.counts()
    pictures, labelled = found.pop('pictures'), found.pop('labelled')
    each = ', '.join(f'{count} {name}' for name, count in found.items())
    return f'{pictures} pictures, {labelled} labelled ({each})'


def splits_of(desk) -> str:
    """Return how many pictures each split gets, and of how many groups."""
    split_of, groups = desk.table.split_of, desk.table.groups
    pictures = Counter(split_of.values())
    parts = Counter(split for split, _ in {(split_of[name], groups[name]) for name in desk.names})
    return ', '.join(
        f'{split} {count} in {parts[split]} group{"s" * (parts[split] > 1)}'
        for split, count in pictures.most_common()
    )


if __name__ == '__main__':
    main()

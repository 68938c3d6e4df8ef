"""Draw the sheets of Smokestack scenes and clips that the documentation shows."""

import argparse
from itertools import count, islice

from PIL import Image

from mmsmoke.datasets.pictures import make_palette
from mmsmoke.datasets.smokestack.drawing.render import render
from mmsmoke.datasets.smokestack.scenes import Smokestack
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import contact_sheet, overlay_mask

SPLITS = ('train', 'chimney_only', 'smoke_only')
EVERY = 2.0  # seconds


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='PNG file')
    parser.add_argument('--columns', type=int, default=6, help='scenes of each split')
    parser.add_argument('--size', type=int, default=160, help='side of a scene in pixels')
    parser.add_argument(
        '--clips', type=int, help='draw so many clips instead, with smoke that begins or ends'
    )
    args = parser.parse_args()
    source, palette = Smokestack('biased', size=args.size), make_palette(2)
    if args.clips is None:
        rows = [[source.scene(split, index) for index in range(args.columns)] for split in SPLITS]
    else:
        clips = (source.clip('train', index, args.columns, EVERY) for index in count())
        told = (clip for clip in clips if len({frame.smokes for frame in clip}) == 2)
        rows = [
            [render(frame.layout, args.size) for frame in clip] for clip in islice(told, args.clips)
        ]
    outlined = [[overlay_mask(s.image, s.smoke, palette, opacity=0) for s in row] for row in rows]
    picture = Image.fromarray(contact_sheet(outlined, width=args.size))
    if args.clips:
        picture = picture.quantize(256)
    picture.save(args.out)


if __name__ == '__main__':
    main()

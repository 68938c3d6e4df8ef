"""Draws the sheet of Smokestack scenes that the documentation shows."""

import argparse

from PIL import Image

from mmsmoke.datasets.pictures import make_palette
from mmsmoke.datasets.smokestack.scenes import Smokestack
from mmsmoke.visualization import contact_sheet, overlay_mask

SPLITS = ('train', 'chimney_only', 'smoke_only')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='PNG file')
    parser.add_argument('--columns', type=int, default=6, help='scenes of each split')
    parser.add_argument('--size', type=int, default=160, help='side of a scene in pixels')
    args = parser.parse_args()
    source, palette = Smokestack('biased', size=args.size), make_palette(2)
    rows = []
    for split in SPLITS:
        scenes = [source.scene(split, index) for index in range(args.columns)]
        rows.append([overlay_mask(s.image, s.smoke, palette, opacity=0) for s in scenes])
    Image.fromarray(contact_sheet(rows, width=args.size)).save(args.out)


if __name__ == '__main__':
    main()

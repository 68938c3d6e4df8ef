"""Drive the page of tools/label.py by script, as fast as it takes keys, in a headless Chromium.

That is the limit of the page: each key waits until the next picture is shown, and the time ends
when all labels are on the disk. People are slower. --screenshots also draws the documentation's
pictures of the page.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
from PIL import Image

from mmsmoke.datasets.pictures import make_palette, save_image
from mmsmoke.datasets.smokestack.scenes import Smokestack
from mmsmoke.datasets.zones import write_view
from mmsmoke.labelling.desk import Desk
from mmsmoke.labelling.server import LabelServer
from mmsmoke.utils import UserError, save_png, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import rows_table

sys.path.append(str(Path(__file__).parents[2] / 'tests'))
WINDOW = (1040, 680)
DIFFERENT = 20
"""Scenes that are drawn; files with other names show them again."""
PICTURES = dict(labels='page', masks='masks', zones='zones')
COLOURS = 96
"""In the documentation's pictures, which stay small so."""


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pictures', type=int, default=300, help='to label (%(default)s)')
    parser.add_argument('--size', type=int, default=720, help='their side in pixels (%(default)s)')
    parser.add_argument('--out', type=Path, help='JSON file for the numbers')
    parser.add_argument('--screenshots', type=Path, metavar='DIR', help='draw label_*.png instead')
    args = parser.parse_args()
    from browser import Browser, find_chromium

    if args.pictures < 1:
        raise UserError(f'pictures must be at least 1, not {args.pictures}')
    if find_chromium() is None:
        raise UserError('no Chromium found: apt-get install chromium')
    # the browser leaves children that write into its profile for a moment
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder, 'profile'), *WINDOW)
        try:
            if args.screenshots:
                draw_pages(browser, Path(folder), args.screenshots)
                return
            rows = [measure(browser, Path(folder, 'plant'), args.pictures, args.size)]
        finally:
            browser.close()
    print(rows_table(rows))
    if args.out:
        write_json(args.out, rows)


def measure(browser, root: Path, count: int, size: int) -> dict:
    """Label so many pictures, with smoke and without in turn; return a row of the table."""
    source = Smokestack('easy', size)
    scenes = [source.scene('train', k).image for k in range(min(count, DIFFERENT))]
    for k in range(count):
        name = f'north_2026-03-{1 + k % 9:02d}_{k:04d}.jpg'
        save_image(root / name, scenes[k % DIFFERENT])
    desk = Desk(root)
    with serving(desk) as address:
        browser.open(address)
        begun = time.perf_counter()
        for k in range(count):
            press(browser, '01'[k % 2])
            browser.wait_for('document.body.dataset.ready')
        browser.wait_for("document.body.dataset.waiting === '0'")
        seconds = time.perf_counter() - begun
    labels = [Desk(root).table.labels[name] for name in desk.names]
    if labels != [[k % 2] for k in range(count)]:
        raise UserError('the labels on the disk are not those of the keys')
    rate = round(60 * count / seconds)
    return dict(pictures=count, size=size, seconds=round(seconds, 1), **{'pictures a minute': rate})


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """Serve a desk in a thread; give its address."""
    with LabelServer(desk) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.address
        finally:
            server.shutdown()
            thread.join()


def press(browser, key: str) -> None:
    browser.press(key, ord(key.upper()))


def draw_pages(browser, work: Path, out: Path) -> None:
    """Draw labels, masks and zones of drawn scenes."""
    root, source = work / 'plant', Smokestack('biased', size=480)
    scenes = [source.scene('train', k) for k in range(6)]
    smoky = [k for k, scene in enumerate(scenes) if scene.smoke.mean() > 0.05]
    names = [f'north_2026-03-0{1 + k // 2}_{900 + k}.png' for k in range(len(scenes))]
    for name, scene in zip(names, scenes, strict=True):
        save_image(root / name, scene.image)
        save_png(work / 'out/masks' / name, rough(scene.smoke), make_palette(2))
    shown = scenes[smoky[0]]
    rows, columns = np.nonzero(shown.context)
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    drawn = dict(
        polygons=[[[left, top], [right, top], [right, bottom], [left, bottom]]],
        zones=[[[8, 8], [471, 8], [471, 300], [8, 300]]],
        ignored=[[[300, 330], [470, 330], [470, 470], [300, 470]]],
    )
    write_view(root / 'zones.json', ['camera'], (480, 480), 'north', drawn)
    desk = Desk(root, proposals=work / 'out')
    for k, name in enumerate(names):
        if k < smoky[-1] and k != smoky[0]:
            desk.table.set(name, [int(k in smoky)])
    with serving(desk) as address:
        for view in PICTURES:
            browser.open(address, f'#{view}/{smoky[0]}')
            if view == 'masks':
                press(browser, 'e')
                box = browser.run(
                    '(b => [b.left, b.top, b.width])'
                    "(document.getElementById('sheet').getBoundingClientRect())"
                )
                row, column = (int(k.mean()) for k in np.nonzero(shown.smoke))
                place = np.array([column + 60, row - 30]) / 480 * box[2] + box[:2]
                browser.drag(tuple(place), tuple(place + 20))
                browser.wait_for("document.body.dataset.unsaved === '0'")
            if view == 'zones':
                press(browser, 'c')
            save_page(browser, out / f'label_{PICTURES[view]}.png', work / 'page.png')


def rough(mask: np.ndarray, step: int = 12) -> np.ndarray:
    """Return a mask in blocks, as one from a small map."""
    small = mask[step // 2 :: step, step // 2 :: step]
    return np.kron(small, np.ones((step, step), np.uint8))[: mask.shape[0], : mask.shape[1]]


def save_page(browser, path: Path, raw: Path) -> None:
    browser.screenshot(raw)
    with Image.open(raw) as page:
        few = page.convert('RGB').quantize(COLOURS, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    few.save(path, optimize=True)
    print(f'{path}: {path.stat().st_size // 1000} kB')


if __name__ == '__main__':
    main()

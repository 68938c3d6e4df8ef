"""Draw masks as plumes have them: blobs with holes, of two classes, with pixels left open."""

import cv2
import numpy as np
from conftest import save, save_palette, write_table

CLASSES = ('smoke', 'steam')


def plume(seed, width=160, height=120):
    """Return a mask of puffs; steam fills one of the holes, and 255 lies along a border."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for value in (1, 2, 1):
        x, y = rng.uniform(20, width - 20), height - 10
        for _ in range(12):
            cv2.circle(mask, (int(x), int(y)), int(rng.integers(4, 14)), value, -1)
            x, y = x + rng.uniform(-4, 9), y - rng.uniform(4, 9)
    for _ in range(6):
        y, x = (int(rng.choice(places)) for places in np.nonzero(mask == 1))
        cv2.ellipse(mask, (x, y), (5, 3), int(rng.integers(90)), 0, 360, 0, -1)
    cv2.circle(mask, (x, y), 2, 2, -1)
    mask[:6, : width // 3] = 255
    noise = rng.random(mask.shape) < 0.002
    mask[noise] = rng.integers(0, 3, noise.sum())
    return mask


def iou(one, other, value):
    return ((one == value) & (other == value)).sum() / ((one == value) | (other == value)).sum()


def plume_data(root, count=4, folder='north', **options):
    """Write a data set of plumes and one clear image without a mask."""
    rows = []
    for number in range(count):
        mask = plume(number, **options)
        name = f'{folder}/{number} <b>&.png' if number == 0 else f'{folder}/{number}.png'
        save(root / 'images' / name, np.stack([mask] * 3, -1))
        save_palette(root / 'masks' / name, mask)
        rows.append([f'images/{name}', 'train' if number else 'val', 1, 1, 'kept'])
    save(root / f'images/{folder}/clear.png', np.zeros((120, 160, 3), np.uint8))
    rows.append([f'images/{folder}/clear.png', 'train', 'no', 'no', 'a, b'])
    return write_table(root, ['image', 'split', *CLASSES, 'note'], rows)

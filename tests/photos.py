"""A folder of photographs, and the table that the inferencer writes of them."""

import csv
from pathlib import Path

import numpy as np
from conftest import draw, save


def write_photos(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ('b/2.jpg', 'b/1.JPG', 'a.png', 'b/c/3.png'):
        save(folder / name, draw(rng, (40, 32), [1])[0])
    return folder


def table(path: Path) -> list[dict]:
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))

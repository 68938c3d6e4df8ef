"""Folders to label, and the page that labels them."""

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from conftest import save

from mmsmoke.labelling.desk import Desk
from mmsmoke.labelling.server import LabelServer

SIZE = (48, 64)


def write_folder(root: Path, count: int = 6, cameras=('north', 'gate')) -> Path:
    """Each camera has as many pictures, on days of two pictures each; each of its own colour."""
    for camera in cameras:
        for k in range(count):
            colour = np.full((*SIZE, 3), 10 * k + 10, np.uint8)
            save(root / camera / f'2026-03-{1 + k // 2:02d}_{k}.png', colour)
    return root


@contextmanager
def served(root: Path, **options) -> Iterator[LabelServer]:
    with LabelServer(Desk(root, **options)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def table(root: Path) -> dict[str, dict]:
    with open(root / 'labels.csv', newline='', encoding='utf-8') as file:
        return {row['image']: row for row in csv.DictReader(file)}


def labels(root: Path, column: str = 'smoke') -> dict[str, str]:
    return {name: row[column] for name, row in table(root).items()}

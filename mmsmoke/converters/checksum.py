"""Sum up the masks of a data set in one number, by which two conversions can be compared."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from mmsmoke.datasets.pictures import read_mask
from mmsmoke.datasets.table import Row, read_table
from mmsmoke.utils import write_json
from mmsmoke.utils.threads import in_threads

MANIFEST = 'manifest.json'


def write_checksums(root: str | os.PathLike, classes: Sequence[str]) -> None:
    """Write and print, for each split, the number of its masks and :func:`masks_sha256`."""
    rows, _ = read_table(root, classes)
    found = {}
    for split in dict.fromkeys(row.split for row in rows):
        chosen = [row for row in rows if row.split == split]
        found[split] = dict(masks=len(chosen), sha256=masks_sha256(root, chosen))
        print(f'masks of {split}: {len(chosen)}, sha256 {found[split]["sha256"]}')
    write_json(Path(root) / MANIFEST, dict(masks=found))


def masks_sha256(root: str | os.PathLike, rows: Sequence[Row]) -> str:
    """Hash names, sizes and pixels of the masks of some images, however PNG packs them."""

    def line(row: Row) -> str:
        mask = read_mask(Path(root) / 'masks' / row.mask_name)
        return f'{row.mask_name} {mask.shape} {hashlib.sha256(mask.tobytes()).hexdigest()}\n'

    lines = in_threads(line, sorted(rows, key=lambda row: row.mask_name), 'checksum')
    return hashlib.sha256(''.join(lines).encode()).hexdigest()

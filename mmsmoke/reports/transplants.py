"""Show what PlumeTransplant makes of images, and how much of what it moves is smoke."""

from pathlib import Path

import numpy as np

from mmsmoke.datasets.pictures import read_image, read_mask
from mmsmoke.datasets.table import spread
from mmsmoke.datasets.transforms import PlumeTransplant
from mmsmoke.utils import UserError, save_png
from mmsmoke.utils.randomness import seeded
from mmsmoke.visualization import contact_sheet


def draw_transplants(transplant: PlumeTransplant, out: str | Path, count: int = 8) -> None:
    """Draw clear images and what becomes of them, then images with smoke and what becomes of them.

    Args:
        count: images of each kind, evenly spread.
    """
    smoke, clear = transplant.rows
    pairs = []
    with seeded('transplants'):
        for rows, label in ((clear, 0.0), (smoke, 1.0)):
            for place in spread(len(rows), min(count, len(rows))):
                row = rows[place]
                image = read_image(transplant.root / row.image)
                results = dict(
                    img=image[..., ::-1], mask_name=row.mask_name, columns=row.columns,
                    gt_score=[label], gt_label=[0] if label else [],
                )  # fmt: skip
                change = transplant.without_plume if label else transplant.with_plume
                changed = change(results)
                if changed is not None:
                    pairs.append([image, np.ascontiguousarray(changed[..., ::-1])])
    if not pairs:
        raise UserError('no image could be changed: look at the score maps')
    save_png(out, contact_sheet(pairs, ['image', 'learned from']))


def share_of_smoke(transplant: PlumeTransplant) -> dict[str, float] | None:
    """Return what is known of the plumes that would be pasted, in percent; None without any truth.

    ``smoke``: of their pixels, those that are smoke by the true masks; ``of all smoke``: how much
    of the smoke they are.
    """
    right = moved = true = 0
    for row in transplant.rows[0]:
        path = transplant.root / 'masks' / row.mask_name
        if not path.is_file():
            continue
        truth = read_mask(path)
        plume = transplant.map_of(row.mask_name, truth.shape) > transplant.levels[0]
        known = truth != 255
        right += int((plume & (truth == 1)).sum())
        moved += int((plume & known).sum())
        true += int((truth == 1).sum())
    if not true:
        return None
    return {'smoke': 100 * right / max(moved, 1), 'of all smoke': 100 * right / true}

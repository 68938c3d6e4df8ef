import cv2
import numpy as np

from mmsmoke.utils import DataError

FARTHEST = 2**15
"""Pixels from the origin to a corner at most; far beyond, OpenCV ends the process."""


def fill_polygon(mask: np.ndarray, corners: np.ndarray, where: str) -> None:
    """Set the pixels of a mask [H, W] inside a polygon to 1.

    Args:
        corners: [N, 2] as (x, y); parts outside the picture are cut off.
        where: what to call the polygon in an error.
    """
    if np.abs(corners).max(initial=0) > FARTHEST:
        raise DataError(f'{where}: a corner lies more than {FARTHEST} pixels from the origin')
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1)

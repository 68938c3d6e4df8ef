"""Short videos, written and read by OpenCV."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = (48, 32)


def noise(count: int, seed: int = 0) -> list[np.ndarray]:
    """Blurred colours, so that a codec keeps them."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 4, 6, 3)).astype(np.uint8)
    return [cv2.resize(picture, SIZE, interpolation=cv2.INTER_CUBIC) for picture in small]


def write_clip(path: Path, frames: Sequence[np.ndarray], codec: str, rate: float) -> Path:
    """Writes a video; of equal frames it makes equal ones."""
    path.parent.mkdir(exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, SIZE)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames

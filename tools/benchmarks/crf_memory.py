"""Measure the memory that a dense CRF of one large image takes, each way in its own process."""

import multiprocessing
import sys

import cv2
import numpy as np
import torch
from benchmark import options, positive, report

from mmsmoke.functional import dense_crf
from mmsmoke.models.refiners.dense_crf import require_pydensecrf
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text

try:
    import resource
except ImportError:  # on Windows
    resource = None

WAYS = [(backend, half) for backend in ('pydensecrf', 'torch') for half in (False, True)]


@user_errors_as_text
def main() -> None:
    parser = options(__doc__)
    parser.add_argument('--width', type=positive, default=3840, help='in pixels')
    parser.add_argument('--height', type=positive, default=2160, help='in pixels')
    args = parser.parse_args()
    if resource is None:
        raise UserError('how much memory a process takes is known on Linux and macOS only')
    require_pydensecrf()
    rows = []
    for backend, half in WAYS:
        with multiprocessing.get_context('spawn').Pool(1) as pool:
            used = pool.apply(gigabytes, (args.height, args.width, backend, half))
        rows.append(
            {
                'backend': backend,
                'resolution': 'half' if half else 'full',
                'image': f'{args.width}x{args.height}',
                'GB beyond the start': round(used, 2),
            }
        )
    report(rows, args.out)


def gigabytes(height: int, width: int, backend: str, half: bool) -> float:
    """Growth of this process' largest memory, for two labels and a noisy image."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (34, 60, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    image = np.clip(image + rng.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    smoke = cv2.resize(rng.random((34, 60), dtype=np.float32), (width, height))
    probs = np.stack([1 - smoke, smoke])
    before = peak()
    dense_crf(image, probs, 'thesis', backend, half)
    return (peak() - before) / 1e9


def peak() -> int:
    """Largest resident memory of this process so far, in bytes."""
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == '__main__':
    main()

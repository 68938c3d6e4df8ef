"""Measure how many pictures a second a monitor of several cameras takes, and its memory.

Each camera is a folder with a picture a second: a few drawn scenes, again and again. All of it is
there from the beginning, so that the monitor goes as fast as it can: reading, looking, tables,
strips, clips and the page. --model none reads the true masks instead of asking a network, which
leaves what the monitor itself costs. --screenshot draws the page of a monitor that has run.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from benchmark import options, positive, report
from labelling import save_page

from mmsmoke.datasets.pictures import read_image, save_image
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text

NETWORK = 'segmentors/mlp_r18-s_6e_smokestack-128.py'
DIFFERENT = 12
"""Scenes of a camera that are drawn."""
BEGIN = datetime(2026, 3, 2)
WINDOW = (1040, 1000)


@user_errors_as_text
def main() -> None:
    parser = options(__doc__)
    parser.add_argument('--cameras', type=positive, default=4, help='how many')
    parser.add_argument('--frames', type=positive, default=600, help='pictures of each')
    parser.add_argument('--size', type=positive, default=512, help='their side in pixels')
    parser.add_argument('--batch-size', type=positive, default=8, help='pictures at a time')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    parser.add_argument(
        '--model', choices=['tiny', 'none', 'both'], default='both',
        help='a small ResNet-18 with random weights, or true masks, or one after the other',
    )  # fmt: skip
    parser.add_argument(
        '--screenshot', nargs=2, type=Path, metavar=('RUN', 'FILE'),
        help="draw the page in a monitor's folder instead",
    )  # fmt: skip
    args = parser.parse_args()
    if args.screenshot:
        draw_page(*args.screenshot)
        return
    with tempfile.TemporaryDirectory() as folder:
        masks = draw_cameras(Path(folder, 'cameras'), args.cameras, args.frames, args.size)
        kinds = ['none', 'tiny'] if args.model == 'both' else [args.model]  # the light one first
        rows = [measure(kind, Path(folder), masks, args) for kind in kinds]
    report(rows, args.out)


def draw_cameras(root: Path, cameras: int, frames: int, size: int) -> dict[int, np.ndarray]:
    """Write folders of pictures with smoke for a while, then without; return true masks."""
    masks = {}
    for camera in range(cameras):
        smoky, clear = scenes_of(size, camera)
        for second in range(frames):
            scenes = smoky if second // 60 % 3 == 1 else clear
            link_picture(root / f'cam{camera}', BEGIN + timedelta(seconds=second), scenes, second)
        masks |= keep_masks(root / f'cam{camera}', smoky + clear)
    return masks


def scenes_of(size: int, seed: int) -> tuple[list, list]:
    """Return scenes with smoke and scenes without."""
    from mmsmoke.datasets.smokestack.scenes import Smokestack

    source = Smokestack('easy', size, seed)
    scenes = [source.scene('train', k) for k in range(DIFFERENT)]
    smoky = [scene for scene in scenes if scene.smoke.any()]
    return smoky, [scene for scene in scenes if not scene.smoke.any()]


def link_picture(folder: Path, when: datetime, scenes: list, number: int) -> None:
    """Write one of the scenes under a time, without using the disk for it again."""
    scene = scenes[number % len(scenes)]
    first = folder.parent / 'scenes' / f'{folder.name}_{id(scene)}.jpg'
    if not first.exists():
        save_image(first, scene.image)
    folder.mkdir(parents=True, exist_ok=True)
    os.link(first, folder / f'{when:%Y-%m-%d_%H-%M-%S}.jpg')


def keep_masks(folder: Path, scenes: list) -> dict[int, np.ndarray]:
    """Return true masks by what pictures look like once they are read."""
    masks = {}
    for scene in scenes:
        path = folder.parent / 'scenes' / f'{folder.name}_{id(scene)}.jpg'
        if path.exists():
            masks[mark_of(read_image(path)[..., ::-1])] = scene.smoke.astype(np.uint8)
    return masks


def mark_of(picture: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(picture))


def measure(kind: str, folder: Path, masks: dict[int, np.ndarray], args) -> dict:
    from mmsmoke.inference import CameraMonitor

    predict = truth(masks) if kind == 'none' else network(folder, args.device)
    cameras = {path.name: str(path) for path in sorted((folder / 'cameras').glob('cam*'))}
    monitor = CameraMonitor(
        predict, cameras, folder / f'out-{kind}', merge_seconds=30.0, batch_size=args.batch_size
    )
    begun, worked = time.perf_counter(), time.process_time()
    events = monitor.run(once=True)
    seconds, work = time.perf_counter() - begun, time.process_time() - worked
    count = args.frames * len(cameras)
    return {
        'model': 'none: true masks' if kind == 'none' else 'segmentor, small ResNet-18',
        'cameras': len(cameras),
        'size': args.size,
        'pictures': count,
        'events': events,
        'device': args.device,
        'seconds': round(seconds, 1),
        'pictures a second': round(count / seconds, 1),
        'CPU ms a picture': round(1000 * work / count, 1),
        'peak memory, MB': round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def truth(masks: dict[int, np.ndarray]) -> Callable:
    def predict(pictures) -> list:
        return [SimpleNamespace(mask=masks[mark_of(picture)]) for picture in pictures]

    return predict


def network(folder: Path, device: str):
    import torch

    from mmsmoke.engine.launch import load_config
    from mmsmoke.inference import SmokeInferencer
    from mmsmoke.inference.predictor import build_model

    cfg, weights = load_config(NETWORK), folder / 'weights.pth'
    torch.manual_seed(0)
    torch.save(build_model(cfg).state_dict(), weights)
    return SmokeInferencer(cfg, weights, device)


def draw_page(run: Path, out: Path) -> None:
    """Draw the top of the page in a monitor's folder."""
    from browser import Browser, find_chromium

    from mmsmoke.reports.timeline import PAGE

    if not (run / PAGE).is_file():
        raise UserError(f'{run / PAGE} not found: name the folder of a monitor')
    if find_chromium() is None:
        raise UserError('no Chromium found: apt-get install chromium')
    # the browser leaves children that write into its profile for a moment
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        browser = Browser(Path(work, 'profile'), *WINDOW)
        try:
            browser.open((run / PAGE).resolve())
            script = 'document.body.replaceChildren(...[...document.body.children].slice(0, 8))'
            browser.run(script)  # the first camera and its newest events are enough
            save_page(browser, out, Path(work, 'page.png'))
        finally:
            browser.close()


if __name__ == '__main__':
    main()

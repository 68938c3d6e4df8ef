"""Measure a large frame looked at as a whole and in tiles: time, and memory beyond the start.

The test pipeline's Resize is left out, so that both ways show the network the same pixels. Each way
has its own process; a small picture is looked at before anything is measured. Weights are random.
"""

import multiprocessing
import tempfile
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from benchmark import options, positive, report, timed
from crf_memory import peak, resource

from mmsmoke.apis import SmokeInferencer
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import build_model
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=3)
    parser.add_argument('--config', default='segmentors/mlp_r18-s_6e_smokestack-128.py')
    parser.add_argument('--width', type=positive, default=1920, help='in pixels')
    parser.add_argument('--height', type=positive, default=1280, help='in pixels')
    parser.add_argument('--tile', type=positive, default=512, help='in pixels')
    parser.add_argument('--overlap', type=int, default=64, help='in pixels')
    parser.add_argument('--batch-size', type=positive, default=1, help='tiles at a time')
    args = parser.parse_args()
    if resource is None:
        raise UserError('how much memory a process takes is known on Linux and macOS only')
    rows = []
    for tiles in ({}, dict(tile=args.tile, overlap=args.overlap)):
        with multiprocessing.get_context('spawn').Pool(1) as pool:
            size = args.height, args.width
            work = (args.config, size, tiles, args.batch_size, args.repeats)
            seconds, used = pool.apply(measure, work)
        rows.append(
            {
                'model': Path(args.config).stem,
                'frame': f'{args.width}x{args.height}',
                'tile': tiles.get('tile', 'whole'),
                'overlap': tiles.get('overlap', ''),
                'batch size': args.batch_size,
                'threads': torch.get_num_threads(),
                'turns': args.repeats,
                'seconds a frame': round(seconds, 3),
                'GB beyond the start': round(used, 2),
            }
        )
    for row in rows:
        ratio = row['seconds a frame'] / rows[0]['seconds a frame']
        row['time, of the whole'] = round(ratio, 3)
    report(rows, args.out)


def measure(
    config: str, size: tuple[int, int], tiles: dict, batch_size: int, repeats: int
) -> tuple[float, float]:
    """Return the median time of a frame, and the growth of this process' largest memory in GB."""
    cfg = load_config(config)
    dataset = cfg.test_dataloader.dataset
    dataset.pipeline = [step for step in dataset.pipeline if 'Resize' not in step['type']]
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / 'weights.pth'
        torch.save(build_model(cfg).state_dict(), weights)
        inferencer = SmokeInferencer(cfg, weights, 'cpu', **tiles)
    coarse = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    frame = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    inferencer(frame[:64, :64])
    before = peak()
    times = [timed(lambda: inferencer(frame, batch_size=batch_size))[1] for _ in range(repeats)]
    return median(times), (peak() - before) / 1e9


if __name__ == '__main__':
    main()

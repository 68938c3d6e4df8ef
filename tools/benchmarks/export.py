"""Measure exported segmentors: PyTorch, TorchScript and onnxruntime on the same batch.

Random weights, with logits as far apart as those of a trained network, and noise for pictures:
neither changes the time. All ways are timed in turns in one process, after rounds that are not
counted and show that they agree. All run on the CPU, with as many threads as torch has
(OMP_NUM_THREADS).
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import torch
from benchmark import difference, options, positive, report, seconds_in_turns

from mmsmoke.deploy.export import SegmentorGraph
from mmsmoke.deploy.formats import FORMATS, require_packages
from mmsmoke.deploy.parity import lay_out
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import build_model
from mmsmoke.utils.cli import user_errors_as_text

RUNTIMES = dict(torchscript='TorchScript', onnx='onnxruntime')
CONFIGS = (
    'configs/segmentors/mlp_r18-s_6e_smokestack-128.py',
    'configs/segmentors/deeplabv3plus_r50_12e_weakseg-224.py',
)
TOLERANCE = 1e-3
SPREAD = 4
WARM_UP = 3  # TorchScript compiles in its first two calls


@user_errors_as_text
@torch.no_grad()
def main() -> None:
    parser = options(__doc__, repeats=9)
    parser.add_argument('--configs', nargs='+', default=CONFIGS, help='of segmentors')
    parser.add_argument('--size', type=positive, default=128, help='side of the pictures in pixels')
    parser.add_argument('--images', type=positive, default=4, help='pictures in a batch')
    args = parser.parse_args()
    require_packages(FORMATS)
    report([row for config in args.configs for row in measure(config, args)], args.out)


def measure(config: str, args: argparse.Namespace) -> list[dict]:
    size = (args.size, args.size)
    images = lay_out([], args.images, size)
    graph = random_graph(config, images)
    with tempfile.TemporaryDirectory() as folder:
        runs, megabytes = {'PyTorch': graph}, {}
        for name, (file, write, read, _) in FORMATS.items():
            path = Path(folder) / file
            write(graph, images[:2], path, args.images != 2)
            runs[RUNTIMES[name]] = read(path)
            megabytes[RUNTIMES[name]] = round(path.stat().st_size / 1e6, 1)
        ways = [partial(run, images) for run in runs.values()]
        scores = [[way() for _ in range(WARM_UP)][-1] for way in ways]
        differences = [
            difference(found, scores[0], TOLERANCE, f'{config}: scores') for found in scores
        ]
        seconds = seconds_in_turns(ways, args.repeats)
    return [
        {
            'segmenter': Path(config).stem,
            'size': args.size,
            'batch': args.images,
            'threads': torch.get_num_threads(),
            'run by': name,
            'ms an image': round(1000 * spent / args.images, 1),
            'speed': round(seconds[0] / spent, 2),
            'largest difference': f'{apart:.0e}',
            'file, MB': megabytes.get(name, ''),
        }
        for name, spent, apart in zip(runs, seconds, differences, strict=True)
    ]


def random_graph(config: str, images: torch.Tensor) -> SegmentorGraph:
    torch.manual_seed(0)
    model = build_model(load_config(config))
    graph = SegmentorGraph(model, images.shape[2:])
    last = graph.model.decode_head.conv_seg
    last.weight *= SPREAD / graph(images).logit().std()
    return graph


if __name__ == '__main__':
    main()

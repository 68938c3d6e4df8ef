"""Measure dense CRFs: both backends in one process and in a pool, torch on a GPU by batch.

Real images with soft maps of their true masks, the preset of the thesis. All ways are timed in
turns, after one round that is not counted and shows that they agree. The number of threads is
torch's (OMP_NUM_THREADS).
"""

import argparse
from functools import partial

import numpy as np
import torch
from benchmark import options, positive, report, seconds_in_turns
from PIL import Image

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.functional import background_scores
from mmsmoke.models import DenseCRF
from mmsmoke.models.refiners.dense_crf import require_pydensecrf
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.process import cores

POWER, THRESHOLD = 48, 0.3


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=3)
    parser.add_argument('data_root', help='data set with masks in the split val')
    parser.add_argument('--sizes', type=positive, nargs='+', default=[224, 512], help='in pixels')
    parser.add_argument('--images', type=positive, default=16, help='how many')
    parser.add_argument('--workers', type=positive, default=cores(), help='processes of the pool')
    parser.add_argument('--device', default='cpu', help='of torch')
    args = parser.parse_args()
    report([row for size in args.sizes for row in measure(args, size)], args.out)


def measure(args: argparse.Namespace, size: int) -> list[dict]:
    images, truths, probs = load(args, size)
    on_device = [item.to(args.device) for item in probs]
    crfs = crfs_to_compare(args)
    ways = [
        partial(run, crf, images, on_device if crf.backend == 'torch' else probs, at_once)
        for crf, at_once in crfs.values()
    ]
    masks = [[(item[1] > THRESHOLD).cpu().numpy() for item in way()] for way in ways]
    seconds = seconds_in_turns(ways, args.repeats)
    for crf, _ in crfs.values():
        crf.close()
    return [
        {
            'dense CRF': name,
            'size': size,
            'images': len(images),
            'threads': torch.get_num_threads(),
            'ms an image': round(1000 * spent / len(images), 1),
            'speed': round(seconds[0] / spent, 2),
            'masks alike, IoU': f'{mean_iou(found, masks[0]):.4f}',
            'against truth, IoU': f'{100 * mean_iou(found, truths):.2f}',
        }
        for name, spent, found in zip(crfs, seconds, masks, strict=True)
    ]


def crfs_to_compare(args: argparse.Namespace) -> dict[str, tuple[DenseCRF, int | None]]:
    """Each by its name, with how many images it gets at once (None: all)."""
    require_pydensecrf()
    pool, half = f'{args.workers} processes', 'half resolution'
    crfs = {
        'pydensecrf, one process': DenseCRF(workers=1),
        f'pydensecrf, {pool}': DenseCRF(workers=args.workers),
        f'pydensecrf, {half}, one process': DenseCRF(half=True, workers=1),
        f'pydensecrf, {half}, {pool}': DenseCRF(half=True, workers=args.workers),
    }
    crfs = {name: (crf, None) for name, crf in crfs.items()}
    if args.device == 'cpu':
        one, many = ((DenseCRF(backend='torch', workers=n), None) for n in (1, args.workers))
        return crfs | {'torch, one process': one, f'torch, {pool}': many}
    by_torch, by_half = (DenseCRF(backend='torch', half=half) for half in (False, True))
    name = f'torch on {args.device}'
    return crfs | {
        f'{name}, one by one': (by_torch, 1),
        f'{name}, one batch': (by_torch, None),
        f'{name}, {half}, one batch': (by_half, None),
    }


def run(crf: DenseCRF, images: list, probs: list, at_once: int | None) -> list[torch.Tensor]:
    step = at_once or len(images)
    parts = range(0, len(images), step)
    refined = [item for i in parts for item in crf(images[i : i + step], probs[i : i + step])]
    if refined[0].is_cuda:
        torch.cuda.synchronize()
    return refined


def load(args: argparse.Namespace, size: int) -> tuple[list, list, list]:
    """Images [H, W, 3], true masks, and probabilities [2, H, W] that know them roughly."""
    dataset = WeakSegDataset(args.data_root, split='val', test_mode=True)
    infos = map(dataset.get_data_info, range(len(dataset)))
    infos = [info for info in infos if info['gt_label'] and 'seg_map_path' in info]
    if len(infos) < args.images:
        raise UserError(f'{args.data_root} has {len(infos)} images with masks in val')
    images, truths, probs = [], [], []
    for info in infos[: args.images]:
        with Image.open(info['img_path']) as file:
            images.append(np.asarray(file.convert('RGB').resize((size, size))))
        truth = Image.fromarray(read_mask(info['seg_map_path'])).resize((size, size), 0)
        truths.append(np.asarray(truth) == 1)
        mask = torch.from_numpy(truths[-1]).float()[None, None]
        blur = torch.nn.functional.interpolate(mask, (14, 14), mode='area')
        soft = torch.nn.functional.interpolate(blur, (size, size), mode='bilinear')[0]
        scores = soft / soft.max().clamp(min=1e-6)
        both = torch.cat([background_scores(scores, power=POWER), scores])
        probs.append(both / both.sum(0))
    return images, truths, probs


def mean_iou(masks: list[np.ndarray], others: list[np.ndarray]) -> float:
    """1 for two empty masks."""
    pairs = [((a & b).sum(), (a | b).sum()) for a, b in zip(masks, others, strict=True)]
    return float(np.mean([hit / union if union else 1.0 for hit, union in pairs]))


if __name__ == '__main__':
    main()

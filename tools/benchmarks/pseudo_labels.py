"""Measure a label run, step by step, against a naive loop on the same images with the same result.

Photographs of several sizes, of which the classifier always sees the size of its config; its
weights are random. Both fuse the Grad-CAMs of several layers over four scales. The naive loop takes
one image and one scale at a time, dumps full-resolution float maps, reads them again, and runs each
CRF in the main process. The number of threads of a process is torch's (OMP_NUM_THREADS).
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from benchmark import options, positive, timed
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from PIL import Image
from torch.utils.data.dataloader import _BaseDataLoaderIter

from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.pictures import read_mask
from mmsmoke.engine.launch import build_runner, load_config
from mmsmoke.functional import (
    background_scores,
    fuse_cams,
    normalize_cams,
    resize_maps,
    scores_to_mask,
)
from mmsmoke.functional.crf import dense_crf
from mmsmoke.models.cams import GradCAM, multi_scale
from mmsmoke.utils import UserError, save_png, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.process import cores
from mmsmoke.visualization import rows_table

SCALES = (0.5, 1, 1.5, 2)
POWER = 48
THRESHOLD = 0.3
ALIKE = 0.995
CRFS = {'CRF off': None, 'CRF': dict(half=False), 'CRF, half resolution': dict(half=True)}
STEPS = dict(CAMFusionHook='fuse', CRFHook='CRF', PseudoLabelHook='write')


@user_errors_as_text
def main() -> None:
    parser = options(__doc__)
    parser.add_argument('data_root', help='data set in the standard layout, with a split val')
    parser.add_argument(
        '--config', default='configs/cam/vit-xs-cls_12e_weakseg-112.py', help='of a classifier'
    )
    parser.add_argument(
        '--layers', type=int, nargs='+', default=[-5, -4, -2, -1], help='whose Grad-CAMs are fused'
    )
    parser.add_argument(
        '--sizes', type=positive, nargs='+', default=[224, 512], help='of the files'
    )
    parser.add_argument('--images', type=positive, default=32, help='how many')
    parser.add_argument('--batch-size', type=positive, default=8, help='of the label run')
    parser.add_argument('--workers', type=positive, default=cores(), help='processes for CRFs')
    args = parser.parse_args()
    rows, steps = [], []
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure_size(args, size, Path(folder), rows, steps)
    columns = list(dict.fromkeys(key for row in steps for key in row))
    steps = [{key: row.get(key, '') for key in columns} for row in steps]
    for table in (rows, steps):
        print(rows_table(table), end='\n\n')
    if args.out:
        write_json(args.out, dict(tables=[rows, steps]))


def measure_size(
    args: argparse.Namespace, size: int, folder: Path, rows: list[dict], steps: list[dict]
) -> None:
    """Adds a row to each table for each CRF."""
    data_root = resized(args.data_root, args.images, size, folder / 'data')
    for name, crf in CRFS.items():
        runner = build_runner(label_config(args, data_root, size, crf, folder / name))
        clock = defaultdict(float)
        measure(runner, clock)
        # the half-resolution run is compared with a naive loop that knows no such thing
        if crf is None or not crf['half']:
            naive = folder / f'naive {name}'
            loop = partial(naive_loop, runner, args.layers, naive, crf is not None)
            _, naive_spent = timed(loop)
        row = compared(name, runner, clock.pop('all'), naive, naive_spent)
        rate = {step: round(row['images'] / spent, 1) for step, spent in clock.items()}
        rows.append({'size': size} | row)
        steps.append({'size': size, 'images a second': name} | rate)


def resized(data_root: str, images: int, size: int, folder: Path) -> Path:
    """The first images of val, square, of this size, without true masks: a data set of its own."""
    source = WeakSegDataset(data_root, split='val', test_mode=True, indices=images)
    (folder / 'images').mkdir(parents=True)
    lines = ['image,split,smoke']
    for index in range(len(source)):
        info = source.get_data_info(index)
        with Image.open(info['img_path']) as image:
            image.convert('RGB').resize((size, size)).save(
                folder / f'images/{index}.jpg', quality=95
            )
        lines.append(f'images/{index}.jpg,val,{int(info["gt_score"][0])}')
    (folder / 'labels.csv').write_text('\n'.join(lines) + '\n')
    return folder


def label_config(
    args: argparse.Namespace, data_root: Path, size: int, crf: dict | None, work_dir: Path
) -> Config:
    cfg = load_config(args.config, work_dir, dict(data_root=str(data_root), size=size))
    cfg.model.backbone.init_cfg = None
    cfg.model.views = dict(recipe='thesis', scales=SCALES)
    cfg.test_dataloader.batch_size = args.batch_size
    cfg.test_dataloader.dataset.update(split='val')
    cfg.test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
    cfg.test_evaluator = [dict(type='mmsmoke.RefinementMetric')]
    cfg.custom_hooks = [
        dict(type='mmsmoke.CAMFusionHook', layers=args.layers),
        dict(type='mmsmoke.PseudoLabelHook', threshold=THRESHOLD, score_stride=4),
    ]
    if crf is not None:
        cfg.custom_hooks.insert(1, dict(type='mmsmoke.CRFHook', workers=args.workers, **crf))
    cfg.experiment_name = f'{work_dir.parent.name}-{work_dir.name}'
    return cfg


def measure(runner: Runner, clock: MutableMapping[str, float]) -> None:
    """Runs the label run; seconds of each step go into the clock."""
    places = [
        (runner, 'test', 'all'),
        (_BaseDataLoaderIter, '__next__', 'read'),
        (runner.model, 'test_step', 'forward'),
        (multi_scale, 'merge_views', 'merge'),
        *(
            (hook, 'after_test_iter', STEPS[type(hook).__name__])
            for hook in runner.hooks
            if type(hook).__name__ in STEPS
        ),
    ]
    with ExitStack() as stack:
        for owner, name, step in places:
            timing = clocked(getattr(owner, name), step, clock)
            stack.enter_context(patch.object(owner, name, timing))
        runner.test()
    clock['forward'] -= clock['merge']


def clocked(function: Callable, step: str, clock: MutableMapping[str, float]) -> Callable:
    def run(*args, **kwargs):
        result, seconds = timed(partial(function, *args, **kwargs))
        clock[step] += seconds
        return result

    return run


def naive_loop(runner: Runner, layers: list[int], folder: Path, crf: bool) -> None:
    """Label the same images as simply as one can."""
    model, dataset = runner.model, runner.test_loop.dataloader.dataset
    names = []
    for name in ('dumps', 'masks'):
        (folder / name).mkdir(parents=True)
    for index in range(len(dataset)):
        batch = model.data_preprocessor(pseudo_collate([dataset[index]]), False)
        inputs, sample = batch['inputs'], batch['data_samples'][0]
        size, views = inputs.shape[-2:], []
        for scale in SCALES:
            sides = [max(round(scale * side / 16), 1) * 16 if scale != 1 else side for side in size]
            _, maps = GradCAM(layers)(model, resize_maps(inputs, sides))
            views.append(resize_maps(normalize_cams(maps[0]), size))
        merged = resize_maps(torch.stack(views).mean(0), sample.ori_shape)
        np.save(folder / 'dumps' / f'{index}.npy', merged.cpu().numpy())
        names.append((sample.img_path, sample.mask_name, bool(sample.present().any())))
    for index, (image, mask_name, present) in enumerate(names):
        merged = torch.from_numpy(np.load(folder / 'dumps' / f'{index}.npy'))
        scores = fuse_cams(merged) * present
        if crf and present:
            probs = torch.cat([background_scores(scores, power=POWER), scores])
            with Image.open(image) as file:
                pixels = np.asarray(file.convert('RGB'))
            scores = dense_crf(pixels, probs / probs.sum(0), 'thesis')[1:]
        save_png(folder / 'masks' / mask_name, scores_to_mask(scores, THRESHOLD).numpy())


def compared(name: str, runner: Runner, spent: float, naive: Path, naive_spent: float) -> dict:
    ours = Path(runner.work_dir)
    masks = sorted((ours / 'masks').rglob('*.png'))
    alike = np.mean([
        (read_mask(path) == read_mask(naive / 'masks' / path.relative_to(ours / 'masks'))).mean()
        for path in masks
    ])  # fmt: skip
    if alike < ALIKE and 'half' not in name:
        raise UserError(f'{name}: only {100 * alike:.2f} % of the pixels are alike')
    sizes = [
        sum(file.stat().st_size for file in folder.rglob('*.*')) / len(masks) / 1000
        for folder in (ours / 'scores', naive / 'dumps')
    ]
    return {
        'label run': name,
        'images': len(masks),
        'threads': torch.get_num_threads(),
        'images a second': round(len(masks) / spent, 2),
        'naive, images a second': round(len(masks) / naive_spent, 2),
        'ratio': round(naive_spent / spent, 2),
        'pixels alike, %': round(100 * float(alike), 2),
        'scores, kB an image': round(sizes[0], 1),
        'naive, kB an image': round(sizes[1], 1),
        'sizes, ratio': round(sizes[1] / sizes[0], 1),
    }


if __name__ == '__main__':
    main()

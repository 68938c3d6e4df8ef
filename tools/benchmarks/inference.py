"""Measure SmokeInferencer against a bare loop over the same images, model and batch size.

The bare loop reads and prepares a batch, predicts it, makes label maps and, in its second round,
writes them; one thing after the other. Photographs are brought to one size before; weights are
random. Both ways are timed in turns in one process, after a round that is not counted and shows
that their masks agree. The number of threads of the model is torch's (OMP_NUM_THREADS).
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from benchmark import options, positive, report, seconds_in_turns
from mmengine.dataset import Compose, pseudo_collate

from mmsmoke.apis import SmokeInferencer
from mmsmoke.datasets.pictures import read_image, read_mask, save_image
from mmsmoke.engine.hooks.pseudo_label_hook import THRESHOLD
from mmsmoke.engine.launch import load_config
from mmsmoke.functional import resize_maps, scores_to_mask
from mmsmoke.inference.inputs import find_images
from mmsmoke.inference.predictor import build_model, scope_of
from mmsmoke.utils import UserError, save_png
from mmsmoke.utils.cli import user_errors_as_text

NETWORKS = {
    'segmentor, small ResNet-18': 'segmentors/mlp_r18-s_6e_smokestack-128.py',
    'CAM, ResNet-18': 'cam/resnet18_12e_weakseg-224.py',
}
AGREEMENT = 0.999


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=7)
    parser.add_argument('folder', type=Path, help='photographs')
    parser.add_argument('--images', type=positive, default=64, help='how many of them')
    parser.add_argument('--side', type=positive, default=224, help='of the photographs, in pixels')
    parser.add_argument('--batch-size', type=positive, default=8, help='images at a time')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    args = parser.parse_args()
    found = [item.source for item in find_images(args.folder)]
    if len(found) < args.images:
        raise UserError(f'{args.folder} holds {len(found)} images, {args.images} are wanted')
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for i, path in enumerate(found[: args.images]):
            image = torch.from_numpy(read_image(path).copy()).permute(2, 0, 1)[None]
            image = resize_maps(image.float(), (args.side, args.side))[0].byte()
            save_image(folder / f'images/{i:05}.jpg', image.permute(1, 2, 0).numpy())
        for network in NETWORKS:
            rows += measure(network, folder, args.batch_size, args.repeats, args.device)
    report(rows, args.out)


def measure(network: str, folder: Path, batch_size: int, repeats: int, device: str) -> list[dict]:
    cfg, weights = load_config(NETWORKS[network]), folder / 'weights.pth'
    torch.manual_seed(0)
    torch.save(build_model(cfg).state_dict(), weights)
    inferencer = SmokeInferencer(cfg, weights, device)
    paths = sorted((folder / 'images').iterdir())
    rows = []
    for writing in ('nothing', 'masks'):
        outs = [folder / name if writing == 'masks' else None for name in ('ours', 'bare')]
        options = dict(batch_size=batch_size, overlays=False)
        ways = (
            lambda options=options, out=outs[0]: inferencer(folder / 'images', out, **options),
            bare_loop(cfg, inferencer.model, paths, batch_size, outs[1]),
        )
        masks, others = (way() for way in ways)
        if writing == 'masks':
            masks, others = ([read_mask(p) for p in sorted(o.rglob('*.png'))] for o in outs)
        else:
            masks = [one.mask for one in masks]
        alike = np.mean([a == b for a, b in zip(masks, others, strict=True)])
        if alike < AGREEMENT:
            raise UserError(f'{network}: only {100 * alike:.1f} % of the pixels agree')
        ours, bare = (len(paths) / seconds for seconds in seconds_in_turns(ways, repeats))
        rows.append(
            {
                'model': network,
                'writes': writing,
                'images': len(paths),
                'size': masks[0].shape[0],
                'batch size': batch_size,
                'device': device,
                'threads': torch.get_num_threads(),
                'turns': repeats,
                'inferencer, images a second': round(ours, 1),
                'bare loop, images a second': round(bare, 1),
                'ratio': round(ours / bare, 3),
                'pixels alike, %': round(100 * float(alike), 2),
            }
        )
    return rows


def bare_loop(
    cfg, model, paths: list[Path], batch_size: int, out: Path | None
) -> Callable[[], list]:
    steps = [
        step
        for step in cfg.test_dataloader.dataset.pipeline
        if step['type'] not in ('mmsmoke.LoadMask', 'mmsmoke.LoadContext')
    ]
    with scope_of(cfg):
        prepare = Compose(steps)

    def label_map(sample) -> np.ndarray:
        if 'seg_logits' in sample:
            return sample.pred_sem_seg.data[0].byte().cpu().numpy()
        sample.localize()
        return scores_to_mask(sample.seg_scores, THRESHOLD).cpu().numpy()

    @torch.no_grad()
    def loop() -> list[np.ndarray]:
        masks = []
        for start in range(0, len(paths), batch_size):
            batch = paths[start : start + batch_size]
            items = [prepare(dict(img_path=str(path))) for path in batch]
            samples = model.test_step(pseudo_collate(items))
            masks += [label_map(sample) for sample in samples]
            for path, mask in zip(batch, masks[start:], strict=True):
                if out is not None:
                    save_png(out / f'{path.stem}.png', mask, [[0, 0, 0], [255, 128, 0]])
        return masks

    return loop


if __name__ == '__main__':
    main()

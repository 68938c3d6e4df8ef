"""Measure what makes a step of training a classifier fast, on the device that is here.

Each setting differs from the first in one thing. All take turns in one process, so that the ratios
hold whatever else the machine does. Pictures are noise and weights random, which costs the same;
reading pictures is left out. The number of threads is torch's (OMP_NUM_THREADS).
"""

from collections.abc import Callable
from contextlib import nullcontext
from tempfile import TemporaryDirectory

import torch
from benchmark import options, positive, report, seconds_in_turns
from mmengine.config import Config

from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import build_model
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.process import keep_freed_memory

NETWORKS = {
    'EfficientNet-Lite0': 'cam/lite0_3e_weakseg-168.py',
    'DINOv2-S': 'cam/dinov2-s_3e_weakseg-168.py',
    'DINOv2-S and its teacher': 'crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py',
}
FIRST = 'float32, channels last'


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, turns=3)
    parser.add_argument('--size', type=positive, default=168, help='of the pictures, in pixels')
    parser.add_argument('--batch-size', type=positive, default=32, help='pictures at a time')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    args = parser.parse_args()
    keep_freed_memory()
    rows = []
    for network in NETWORKS:
        rows += measure(network, args.size, args.batch_size, args.turns, args.device)
    report(rows, args.out)


def measure(network: str, size: int, batch_size: int, turns: int, device: str) -> list[dict]:
    cfg = load_config(NETWORKS[network])
    with TemporaryDirectory() as folder:
        steps = settings_of(cfg, size, batch_size, device, folder)
        for step, _ in steps.values():
            step()
        seconds = seconds_in_turns([step for step, _ in steps.values()], turns)
    rates = [images / s for (_, images), s in zip(steps.values(), seconds, strict=True)]
    return [
        {
            'network': network,
            'size': size,
            'setting': name,
            'images a second': round(rate, 1),
            'times the first': round(rate / rates[0], 2),
            'batch size': images,
            'device': device,
            'threads': torch.get_num_threads(),
            'turns': turns,
        }
        for (name, (_, images)), rate in zip(steps.items(), rates, strict=True)
    ]


def settings_of(
    cfg: Config, size: int, batch_size: int, device: str, folder: str
) -> dict[str, tuple[Callable[[], None], int]]:
    """A function that does one step, and how many pictures it has, by the name of the setting."""
    model = build(cfg, device)
    learner = getattr(model, 'student', model)
    steps = {FIRST: (training_step(model, size, batch_size), batch_size)}
    contiguous = build(cfg, device).to(memory_format=torch.contiguous_format)
    steps['channels first'] = (training_step(contiguous, size, batch_size), batch_size)
    steps['bfloat16'] = (training_step(model, size, batch_size, torch.bfloat16), batch_size)
    for part in (batch_size // 4, batch_size * 2):
        if part:
            steps[f'batches of {part}'] = (training_step(model, size, part), part)
    blocks = getattr(learner.backbone, 'layers', None)
    if blocks is not None:
        frozen = build(cfg, device)
        getattr(frozen, 'student', frozen).backbone.layers[:8].requires_grad_(False)
        steps['8 of 12 blocks frozen'] = (training_step(frozen, size, batch_size), batch_size)
    if learner is model:
        cached = Config(dict(model=dict(cfg.model), default_scope=cfg.default_scope))
        cached.model.backbone = dict(
            type='mmsmoke.FeatureCache', backbone=cfg.model.backbone, folder=folder
        )
        steps['trunk frozen and cached'] = (
            training_step(build(cached, device), size, batch_size),
            batch_size,
        )
    return steps


def build(cfg: Config, device: str):
    torch.manual_seed(0)
    return build_model(cfg).to(device).train()


def training_step(
    model, size: int, batch_size: int, dtype: torch.dtype | None = None
) -> Callable[[], None]:
    device = next(model.parameters()).device
    images = torch.randn(batch_size, 3, size, size, device=device)
    samples = [
        WeakSegDataSample().set_gt_score(torch.tensor([float(i % 2)], device=device))
        for i in range(batch_size)
    ]

    def step() -> None:
        with torch.autocast(device.type, dtype) if dtype else nullcontext():
            losses = model(images, samples, mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        model.zero_grad()

    return step


if __name__ == '__main__':
    main()

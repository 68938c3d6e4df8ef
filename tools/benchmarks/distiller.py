"""Measure a training step of distillers, peers and one-stage segmentors against bare PyTorch.

Two copies of the same networks take the same batch in turns, from uint8 images to the optimizer's
step; their weights must agree in the end. The number of threads is torch's (OMP_NUM_THREADS).
"""

import copy
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from bare_losses import acr_loss, crossarch_loss, seam_loss, single_loss, transcam_loss
from benchmark import options, report, seconds_in_turns
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, resolve_network
from mmsmoke.utils.cli import user_errors_as_text

LEARNING_RATE = 1e-4
ITSELF = ''


class Networks(NamedTuple):
    """Name the configs of the networks, and what is shown to them.

    Attributes:
        configs: by the distiller's arguments, as resolve_network takes them; of a classifier its
            own, by ``ITSELF``.
        size: side of the images.
        count: images in a batch.
    """

    configs: Mapping[str, dict]
    size: int
    count: int


class Way(NamedTuple):
    """Say how a distiller or classifier is built, and what its step is in bare PyTorch.

    Attributes:
        settings: of the distiller, but for its networks; of a classifier what its config has not.
        loss: its loss, given the model, whose networks it may use, normalised images and labels
            [B, K].
        networks: by the name in the table, the smallest first.
    """

    settings: Mapping
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor]
    networks: Mapping[str, Networks]


WAYS = {
    'crossarch': Way(
        dict(
            type='mmsmoke.CrossArchDistiller',
            projection=dict(type='mmsmoke.FeatureProjection'),
            transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
        ),
        crossarch_loss,
        {
            'ViT-XS from small ResNet-18-PCM': Networks(
                dict(
                    student=dict(config='cam/vit-xs_12e_smokestack-128.py'),
                    teacher=dict(config='cam/resnet18-s-pcm_12e_smokestack-128.py'),
                ),
                size=128,
                count=16,
            ),
            'DeiT-S from ResNet-50': Networks(
                dict(
                    student=dict(config='cam/vit-small_12e_weakseg-224.py'),
                    teacher=dict(config='cam/resnet50_12e_weakseg-224.py'),
                ),
                size=224,
                count=8,
            ),
        },
    ),
    'seam': Way(
        dict(type='mmsmoke.SEAM', ratio=0.5),
        seam_loss,
        {
            'small ResNet-18': Networks(
                dict(
                    student=dict(
                        config='cam/resnet18-s_12e_smokestack-128.py',
                        backbone=dict(
                            type='mmsmoke.ResNetPCM', mode='seam', widths=(16, 32, 48)
                        ),
                    )
                ),
                size=128,
                count=16,
            ),
            'EfficientNet-Lite0': Networks(
                dict(student=dict(config='_base_/models/lite0-seam_cam.py')), size=168, count=8
            ),
        },
    ),
    'acr': Way(
        dict(weight=18.0),
        acr_loss,
        {
            'DINOv2-S': Networks(
                {ITSELF: dict(config='cam/acr_dinov2-s_3e_smokestack-126.py')}, size=126, count=8
            ),
        },
    ),
    'single': Way(
        dict(
            type='mmsmoke.SingleStageSegmentor',
            decode_head=dict(
                type='mmseg.FCNHead',
                in_channels=384,
                channels=384,
                num_convs=0,
                concat_input=False,
                dropout_ratio=0,
                num_classes=2,
            ),
        ),
        single_loss,
        {
            'DINOv2-S': Networks(
                dict(classifier=dict(config='cam/dinov2-s_3e_smokestack-126.py')),
                size=126,
                count=8,
            ),
        },
    ),
    'transcam': Way(
        {},
        transcam_loss,
        {
            'Conformer of 1.7 million': Networks(
                {ITSELF: dict(config='cam/transcam_conformer-xs_12e_smokestack-128.py')},
                size=128,
                count=16,
            ),
        },
    ),
}  # fmt: skip


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, steps=15)
    most = max(len(way.networks) for way in WAYS.values())
    parser.add_argument('--ways', nargs='+', choices=WAYS, default=[*WAYS], help='to measure')
    parser.add_argument(
        '--pairs', type=int, choices=range(1, most + 1), default=most, help='networks of each way'
    )
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    args = parser.parse_args()
    rows = [
        measure(WAYS[way], name, args.steps, args.device)
        for way in args.ways
        for name in list(WAYS[way].networks)[: args.pairs]
    ]
    report(rows, args.out)


def measure(way: Way, name: str, steps: int, device: str) -> dict:
    networks = way.networks[name]
    torch.manual_seed(0)
    ours = build(way, networks).to(device)
    theirs = copy.deepcopy(ours)
    images = torch.randint(
        0, 256, (networks.count, 3, networks.size, networks.size), dtype=torch.uint8
    )
    labels = (torch.arange(networks.count) % 2).float()[:, None]
    samples = [WeakSegDataSample().set_gt_score(label) for label in labels]
    ways = (
        our_step(ours, dict(inputs=list(images), data_samples=samples)),
        bare_step(theirs, way.loss, images, labels),
    )
    seconds_in_turns(ways, 1)  # warms up
    first, second = seconds_in_turns(ways, steps)
    pairs = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    apart = torch.cat([(a - b).abs().flatten() for a, b in pairs if a.requires_grad]).mean().item()
    # AdamW's first steps are as long as the learning rate, also where the gradient is next to zero
    # and its sign a matter of rounding: hence the mean, not the largest
    if apart > 0.02 * LEARNING_RATE * (steps + 1):
        raise UserError(f'{name}: the two have learned different weights, by {apart:.1e}')
    return {
        'trained by': type(ours).__name__,
        'networks': name,
        'size': networks.size,
        'images': networks.count,
        'device': device,
        'threads': torch.get_num_threads(),
        'ours, ms a step': round(1000 * first, 1),
        'bare loop, ms a step': round(1000 * second, 1),
        'ratio': round(first / second, 3),
        'mean difference of weights': f'{apart:.0e}',
    }


def build(way: Way, networks: Networks) -> nn.Module:
    found = {}
    for role, config in networks.configs.items():
        found[role] = resolve_network(config)
        found[role].backbone.init_cfg = None
    settings = {**copy.deepcopy(way.settings), **found.pop(ITSELF, {}), **found}
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(settings).train()


def our_step(model: nn.Module, data: dict) -> Callable[[], None]:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        wrapper = build_optim_wrapper(
            model,
            dict(
                type='OptimWrapper',
                constructor='mmsmoke.LearnableOptimWrapperConstructor',
                optimizer=dict(type='AdamW', lr=LEARNING_RATE),
            ),
        )
    return lambda: model.train_step(data, wrapper)


def bare_step(model: nn.Module, loss_of: Callable, images: Tensor, labels: Tensor) -> Callable:
    learned = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE)
    device = learned[0].device
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std

    def step() -> None:
        inputs = (images.to(device).flip(1).float() - mean) / std
        loss = loss_of(model, inputs, labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # what mmengine logs

    return step


if __name__ == '__main__':
    main()

"""Measure a training step of the distiller against the same step written in bare PyTorch.

Two copies of the same networks take the same batch in turns, from uint8 images to the optimizer's
step; their weights must agree in the end. The number of threads is torch's (OMP_NUM_THREADS).
"""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from benchmark import options, report, seconds_in_turns
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, resolve_network
from mmsmoke.utils.cli import user_errors_as_text

# student, teacher, side of the images, images in a batch
PAIRS = {
    'ViT-XS from small ResNet-18-PCM': (
        'cam/vit-xs_12e_smokestack-128.py', 'cam/resnet18-s-pcm_12e_smokestack-128.py', 128, 16,
    ),
    'DeiT-S from ResNet-50': (
        'cam/vit-small_12e_weakseg-224.py', 'cam/resnet50_12e_weakseg-224.py', 224, 8,
    ),
}  # fmt: skip
LEARNING_RATE = 1e-4


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, steps=15)
    counts = range(1, len(PAIRS) + 1)
    parser.add_argument('--pairs', type=int, choices=counts, default=len(PAIRS), help='to measure')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    args = parser.parse_args()
    report([measure(name, args.steps, args.device) for name in list(PAIRS)[: args.pairs]], args.out)


def measure(name: str, steps: int, device: str) -> dict:
    student, teacher, size, count = PAIRS[name]
    torch.manual_seed(0)
    ours = build(student, teacher).to(device)
    theirs = copy.deepcopy(ours)
    images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)
    labels = (torch.arange(count) % 2).float()[:, None]
    samples = [WeakSegDataSample().set_gt_score(label) for label in labels]
    ways = (
        distiller_step(ours, dict(inputs=list(images), data_samples=samples)),
        bare_step(theirs, images, labels),
    )
    seconds_in_turns(ways, 1)  # warms up
    first, second = seconds_in_turns(ways, steps)
    difference = max(
        (a - b).abs().max().item()
        for a, b in zip(ours.student.parameters(), theirs.student.parameters(), strict=True)
    )
    # AdamW's first steps are as long as the learning rate, whatever the gradient
    if difference > 0.1 * LEARNING_RATE * (steps + 1):
        raise UserError(f'{name}: the two have learned different weights, by {difference:.1e}')
    return {
        'student and teacher': name,
        'size': size,
        'images': count,
        'device': device,
        'threads': torch.get_num_threads(),
        'distiller, ms a step': round(1000 * first, 1),
        'bare loop, ms a step': round(1000 * second, 1),
        'ratio': round(first / second, 3),
        'largest difference of weights': f'{difference:.0e}',
    }


def build(student: str, teacher: str):
    config = dict(
        type='mmsmoke.CrossArchDistiller',
        student=resolve_network(dict(config=student, backbone=dict(init_cfg=None))),
        teacher=resolve_network(dict(config=teacher, backbone=dict(init_cfg=None))),
        projection=dict(type='mmsmoke.FeatureProjection'),
        transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss'),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(config).train()


def distiller_step(model, data: dict) -> Callable[[], None]:
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


def bare_step(model, images, labels) -> Callable[[], None]:
    student, teacher, project = model.student, model.teacher, model.projection
    learned = [*student.parameters(), *project.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE)
    device = learned[0].device
    mean, std = student.data_preprocessor.mean, student.data_preprocessor.std

    def step() -> None:
        inputs = (images.to(device).flip(1).float() - mean) / std
        features = student.backbone(inputs)[-1]
        logits = student.head.classifier(features).amax((2, 3))
        with torch.no_grad():
            target = teacher.head.class_maps(teacher.backbone(inputs))
        guess = project(features)
        if target.shape != guess.shape:
            target = F.interpolate(target, guess.shape[2:], mode='bilinear', align_corners=False)
        similarity = F.cosine_similarity(guess.flatten(1), target.flatten(1))
        loss = F.binary_cross_entropy_with_logits(logits, labels.to(device))
        loss = loss + (1 - similarity).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # what mmengine logs

    return step


if __name__ == '__main__':
    main()

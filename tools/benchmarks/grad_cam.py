"""Measure read-outs against pytorch-grad-cam, on the same network, layer and images.

Both deliver scores in [0, 1] at the size of the image: after ReLU, min-max normalised, resized
bilinearly and min-max normalised again, as pytorch-grad-cam does by itself. It explains one class
a call, so that several classes take several calls; its object with the hooks is made beforehand.
It has no read-outs of attention: those are only measured as a batch and image by image, as are all
others, too. All ways are timed in turns in one process, on random weights and images, after one
round that is not counted and shows that they agree. The number of threads is torch's
(OMP_NUM_THREADS).

ScoreCAM takes a forward pass for each channel, 2048 in a ResNet-50: ask for it by itself, as in
``--read-outs ScoreCAM --size 64 --images 1 --repeats 1``.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from benchmark import (
    difference,
    options,
    positive,
    random_classifier,
    report,
    seconds_in_turns,
    side,
)
from torch import Tensor

from mmsmoke import models
from mmsmoke.functional import normalize_cams
from mmsmoke.models import CAMClassifier
from mmsmoke.models.cams.layers import cam_layers
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import user_errors_as_text

NETWORKS = {
    'ResNet-50': (
        dict(type='ResNet', depth=50),
        dict(type='mmsmoke.CAMHead', in_channels=2048),
    ),
    'DeiT-S/16': (
        dict(type='mmsmoke.ViTWithCLS', arch='deit-small'),
        dict(type='mmsmoke.CLSHead', in_channels=384),
    ),
}
WITH_PEER = ('GradCAM', 'GradCAMPlusPlus', 'LayerCAM', 'ScoreCAM')
OF_ATTENTION = ('AttentionRollout', 'AttentionGradCAM', 'AttentionCAM')
TOLERANCE = 1e-3


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=5)
    parser.add_argument('--size', type=side, default=224, help='side of the images in pixels')
    parser.add_argument('--images', type=positive, default=8, help='images in a batch')
    parser.add_argument(
        '--classes', type=positive, nargs='+', default=[1, 3], help='numbers of classes'
    )
    parser.add_argument(
        '--read-outs',
        nargs='+',
        choices=WITH_PEER + OF_ATTENTION,
        default=[name for name in WITH_PEER + OF_ATTENTION if name != 'ScoreCAM'],
        help='types of mmsmoke; those of attention are for transformers alone',
    )
    args = parser.parse_args()
    torch.manual_seed(0)
    images = torch.randn(args.images, 3, args.size, args.size)
    rows = [
        measure(name, network, build(network, classes), images, args.repeats)
        for name, network in pairs(args.read_outs)
        for classes in args.classes
    ]
    report(rows, args.out)


def pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return each read-out with each network that it fits."""
    found = [
        (name, network)
        for name in names
        for network, (_, head) in NETWORKS.items()
        if name in WITH_PEER or head['type'] == 'mmsmoke.CLSHead'
    ]
    if not found:
        raise UserError('read-outs of attention need a transformer')
    return found


def build(network: str, classes: int) -> CAMClassifier:
    backbone, head = NETWORKS[network]
    return random_classifier(backbone, dict(head, num_classes=classes))


def measure(
    name: str, network: str, classifier: CAMClassifier, images: Tensor, repeats: int
) -> dict:
    read_out = getattr(models, name)()
    ways = [
        lambda: ours(read_out, classifier, images),
        lambda: torch.cat([ours(read_out, classifier, image[None]) for image in images]),
    ]
    if name in WITH_PEER:
        ways.append(theirs(name, classifier, images))
    first, *others = (way() for way in ways)
    what = f'{network}, {name}: scores'
    apart = max(difference(first, other, TOLERANCE, what) for other in others)
    times = [1000 * seconds / len(images) for seconds in seconds_in_turns(ways, repeats)]
    return {
        'read-out': name,
        'network': network,
        'classes': classifier.head.num_classes,
        'size': images.shape[-1],
        'images': len(images),
        'threads': torch.get_num_threads(),
        'mmsmoke, ms an image': round(times[0], 1),
        'one by one, ms an image': round(times[1], 1),
        'one by one / batch': round(times[1] / times[0], 2),
        'pytorch-grad-cam, ms an image': round(times[2], 1) if times[2:] else '–',
        'pytorch-grad-cam / mmsmoke': round(times[2] / times[0], 2) if times[2:] else '–',
        'largest difference': f'{apart:.0e}',
    }


@torch.no_grad()
def ours(read_out: Callable, classifier: CAMClassifier, images: Tensor) -> Tensor:
    """Scores [B, K, H, W]."""
    _, maps = read_out(classifier, images)
    scores = normalize_cams(maps[:, 0])
    resized = F.interpolate(scores, images.shape[2:], mode='bilinear', align_corners=False)
    return normalize_cams(resized)


def theirs(name: str, classifier: CAMClassifier, images: Tensor) -> Callable[[], Tensor]:
    """Function that gives the scores [B, K, H, W] of pytorch-grad-cam."""
    try:
        import pytorch_grad_cam
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    except ImportError as error:
        raise UserError(f"{error}: pip install 'mmsmoke[bench]' brings it") from error

    def without_cls(tokens: Tensor) -> Tensor:
        patch = classifier.backbone.patch_embed.projection.stride[0]
        height, width = (side // patch for side in images.shape[2:])
        return tokens[:, 1:].transpose(1, 2).unflatten(2, (height, width))

    reshape = without_cls if hasattr(classifier.backbone, 'patch_embed') else None
    layer = cam_layers(classifier.backbone)[-1]
    kind = getattr(pytorch_grad_cam, name)
    explain = kind(classifier, [layer], reshape_transform=reshape)

    def scores() -> Tensor:
        classes = range(classifier.head.num_classes)
        targets = [[ClassifierOutputTarget(k)] * len(images) for k in classes]
        return torch.stack([torch.from_numpy(explain(images, t)) for t in targets], dim=1)

    return scores


if __name__ == '__main__':
    main()

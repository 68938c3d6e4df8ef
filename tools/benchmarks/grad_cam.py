"""Measure Grad-CAM against pytorch-grad-cam, on the same network, layer and images.

Both deliver scores in [0, 1] at the size of the image: after ReLU, min-max normalised, resized
bilinearly and min-max normalised again, as pytorch-grad-cam does by itself. It explains one class
a call, so that several classes take several calls; its object with the hooks is made beforehand.
Both are timed in turns in one process, on random weights and images, after one round that is not
counted and shows that they agree. The number of threads is torch's (OMP_NUM_THREADS).
"""

from collections.abc import Callable

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

from mmsmoke.functional import normalize_cams
from mmsmoke.models import CAMClassifier, GradCAM
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
TOLERANCE = 1e-3


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=5)
    parser.add_argument('--size', type=side, default=224, help='side of the images in pixels')
    parser.add_argument('--images', type=positive, default=8, help='images in a batch')
    parser.add_argument(
        '--classes', type=positive, nargs='+', default=[1, 3], help='numbers of classes'
    )
    args = parser.parse_args()
    torch.manual_seed(0)
    images = torch.randn(args.images, 3, args.size, args.size)
    rows = [
        measure(network, build(network, classes), images, args.repeats)
        for network in NETWORKS
        for classes in args.classes
    ]
    report(rows, args.out)


def build(network: str, classes: int) -> CAMClassifier:
    backbone, head = NETWORKS[network]
    return random_classifier(backbone, dict(head, num_classes=classes))


def measure(network: str, classifier: CAMClassifier, images: Tensor, repeats: int) -> dict:
    ways = (lambda: ours(classifier, images), theirs(classifier, images))
    first, second = (way() for way in ways)
    apart = difference(first, second, TOLERANCE, f'{network}: scores')
    fast, slow = (seconds / len(images) for seconds in seconds_in_turns(ways, repeats))
    return {
        'network': network,
        'classes': classifier.head.num_classes,
        'size': images.shape[-1],
        'images': len(images),
        'threads': torch.get_num_threads(),
        'mmsmoke, ms an image': round(1000 * fast, 1),
        'pytorch-grad-cam, ms an image': round(1000 * slow, 1),
        'ratio': round(slow / fast, 2),
        'largest difference': f'{apart:.0e}',
    }


def ours(classifier: CAMClassifier, images: Tensor) -> Tensor:
    """Scores [B, K, H, W]."""
    _, maps = GradCAM()(classifier, images)
    scores = normalize_cams(maps[:, 0])
    resized = F.interpolate(scores, images.shape[2:], mode='bilinear', align_corners=False)
    return normalize_cams(resized)


def theirs(classifier: CAMClassifier, images: Tensor) -> Callable[[], Tensor]:
    """Function that gives the scores [B, K, H, W] of pytorch-grad-cam."""
    try:
        from pytorch_grad_cam import GradCAM as TheirGradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    except ImportError as error:
        raise UserError(f"{error}: pip install 'mmsmoke[bench]' brings it") from error

    def without_cls(tokens: Tensor) -> Tensor:
        patch = classifier.backbone.patch_embed.projection.stride[0]
        height, width = (side // patch for side in images.shape[2:])
        return tokens[:, 1:].transpose(1, 2).unflatten(2, (height, width))

    reshape = without_cls if hasattr(classifier.backbone, 'patch_embed') else None
    layer = cam_layers(classifier.backbone)[-1]
    explain = TheirGradCAM(classifier, [layer], reshape_transform=reshape)

    def scores() -> Tensor:
        classes = range(classifier.head.num_classes)
        targets = [[ClassifierOutputTarget(k)] * len(images) for k in classes]
        return torch.stack([torch.from_numpy(explain(images, t)) for t in targets], dim=1)

    return scores


if __name__ == '__main__':
    main()

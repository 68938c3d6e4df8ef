"""Measure multi-scale maps of whole batches against a loop over single images and views.

Both are timed in turns in one process, on random weights and images, after one round that is not
counted and shows that they agree. The number of threads is torch's (OMP_NUM_THREADS).
"""

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
from mmsmoke.models import CAMClassifier, MultiScaleCAM
from mmsmoke.utils.cli import user_errors_as_text

NETWORKS = {
    'ResNet-18': (dict(type='ResNet', depth=18), 512),
    'DeiT-tiny': (dict(type='VisionTransformer', arch='deit-tiny', out_type='featmap'), 192),
}
RECIPES = ('thesis', 'irn')
SCALES = (0.5, 1, 1.5, 2)
TOLERANCE = 1e-4


@user_errors_as_text
@torch.no_grad()
def main() -> None:
    parser = options(__doc__, repeats=5)
    parser.add_argument('--size', type=side, default=224, help='side of the images in pixels')
    parser.add_argument('--images', type=positive, default=8, help='images in a batch')
    args = parser.parse_args()
    torch.manual_seed(0)
    images = torch.randn(args.images, 3, args.size, args.size)
    rows = []
    for network in NETWORKS:
        classifier = build(network)
        rows += [measure(network, classifier, recipe, images, args.repeats) for recipe in RECIPES]
    report(rows, args.out)


def build(network: str) -> CAMClassifier:
    backbone, channels = NETWORKS[network]
    head = dict(type='mmsmoke.CAMHead', num_classes=3, in_channels=channels)
    return random_classifier(backbone, head)


def measure(network: str, classifier, recipe: str, images: Tensor, repeats: int) -> dict:
    read_out = MultiScaleCAM(recipe)

    def batched() -> Tensor:
        return read_out(classifier, images)[1][:, 0]

    def one_by_one() -> Tensor:
        return torch.stack([merged_by_hand(classifier, image[None], recipe) for image in images])

    ways = (batched, one_by_one)
    first, second = (normalize_cams(way(), read_out.normalize) for way in ways)
    apart = difference(first, second, TOLERANCE, f'{network}, {recipe}: maps')
    together, single = (seconds / len(images) for seconds in seconds_in_turns(ways, repeats))
    return {
        'network': network,
        'recipe': recipe,
        'size': images.shape[-1],
        'images': len(images),
        'threads': torch.get_num_threads(),
        'batched, ms an image': round(1000 * together, 1),
        'one by one, ms an image': round(1000 * single, 1),
        'ratio': round(single / together, 2),
        'largest difference': f'{apart:.0e}',
    }


def merged_by_hand(classifier, image: Tensor, recipe: str) -> Tensor:
    """Maps [K, H, W] of one image [1, 3, H, W]."""
    views = []
    for scale in SCALES:
        view = resize(image, int(scale * image.shape[-1]))
        for mirrored in (False,) if recipe == 'thesis' else (False, True):
            feats = classifier.extract_feat(view.flip(-1) if mirrored else view)
            maps = classifier.head.class_maps(feats)
            maps = normalize_cams(maps) if recipe == 'thesis' else maps.relu()
            maps = resize(maps, image.shape[-1])[0]
            views.append(maps.flip(-1) if mirrored else maps)
    return sum(views) / len(views) if recipe == 'thesis' else sum(views)


def resize(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, size=(side, side), mode='bilinear', align_corners=False)


if __name__ == '__main__':
    main()

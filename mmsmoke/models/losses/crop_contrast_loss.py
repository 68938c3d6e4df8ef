import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmsmoke.functional import normalize_cams, resize_maps, supervised_contrast
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

UNKNOWN, BACKGROUND = -1, 0


@MODELS.register_module()
class CropContrastLoss(nn.Module):
    """Learn from small crops, which show a class without its usual company (SeCo).

    A crop carries the class that the classifier's own map is sure of in it, or is background; an
    average of the classifier over time sees its mirror image. Crops are drawn together with those
    of their kind, as that average sees and has lately seen them, and with the mean of their kind.
    Background has a mean of its own, so one class is enough.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        crops: of each image. They lie around uncertain places, anywhere if there are none.
        crop_size: side of a crop in pixels; 64 is for images of 448, take 32 for those of 128.
        low, high: scores between which a place is uncertain.
        share: a crop with at most this share of foreground and uncertain places is background.
        width: of the vectors that are compared.
        queue: how many vectors of earlier crops are kept.
        temperature: of the contrast.
        momentum: of the average of the classifier.
        prototype_momentum: of the mean of a kind.
        start: steps before the first crop is cut.
        loss_weight: of both losses.
    """

    def __init__(
        self,
        classifier: nn.Module,
        crops: int = 10,
        crop_size: int = 64,
        low: float = 0.25,
        high: float = 0.7,
        share: float = 0.2,
        width: int = 256,
        queue: int = 4608,
        temperature: float = 0.08,
        momentum: float = 0.999,
        prototype_momentum: float = 0.9,
        start: int = 1000,
        loss_weight: float = 0.5,
    ):
        super().__init__()
        if not 0 < low <= high < 1:
            raise UserError(f'0 < low <= high < 1, got {low} and {high}')
        self.crops, self.crop_size = crops, crop_size
        self.low, self.high, self.share = low, high, share
        self.temperature, self.start, self.loss_weight = temperature, start, loss_weight
        self.momentum, self.prototype_momentum = momentum, prototype_momentum
        channels, kinds = classifier.head.in_channels, classifier.head.num_classes + 1
        self.projection = nn.Sequential(
            nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, width)
        )
        self.slow = copy.deepcopy(classifier).requires_grad_(False)
        self.slow_projection = copy.deepcopy(self.projection).requires_grad_(False)
        self.register_buffer('steps', torch.tensor(0))
        self.register_buffer('queue', torch.zeros(queue, width))
        self.register_buffer('queue_tags', torch.full((queue,), UNKNOWN))
        self.register_buffer('prototypes', torch.zeros(kinds, width))
        self.register_buffer('prototype_tags', torch.full((kinds,), UNKNOWN))

    def train(self, mode: bool = True):
        super().train(mode)
        self.slow.eval()
        return self

    def forward(
        self, classifier: nn.Module, inputs: Tensor, feats: tuple[Tensor, ...], labels: Tensor
    ) -> dict[str, Tensor]:
        if not self.training:
            return {}
        self.steps += 1
        if self.steps <= self.start:  # several processes wait for the gradient of every parameter
            return dict(loss_crops=0 * sum(one.sum() for one in self.projection.parameters()))
        keep = self.momentum if self.steps > self.start + 1 else 0.0
        follow(self.slow, classifier, keep)
        follow(self.slow_projection, self.projection, keep)
        maps = classifier.head.class_maps(feats)[:, : labels.shape[1]].detach().float()
        crops, tags = self.cut(inputs, maps, labels)
        with same_statistics(classifier):
            queries = _embedded(crops, classifier, self.projection)
        with torch.no_grad():
            self._remember(_embedded(crops.flip(-1), self.slow, self.slow_projection), tags)
        return {
            name: self.loss_weight
            * supervised_contrast(queries, keys, tags, key_tags, self.temperature)
            for name, keys, key_tags in (
                ('loss_crops', self.queue, self.queue_tags),
                ('loss_crops_prototype', self.prototypes, self.prototype_tags),
            )
        }

    @torch.no_grad()
    def cut(self, inputs: Tensor, maps: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return crops [N, 3, s, s] of images [B, 3, H, W], and their tags [N].

        A tag is 0 for background, k + 1 for class k, -1 where it is open what a crop shows.
        """
        side, size = self.crop_size, inputs.shape[2:]
        if side > min(size):
            raise UserError(f'crop_size={side} is more than pictures of {size[1]}x{size[0]} have')
        scores = normalize_cams(maps, 'max') * (labels > 0.5)[:, :, None, None]
        best, kind = resize_maps(scores, size).max(1)
        uncertain = ((best > self.low) & (best <= self.high)).flatten(1).float()
        chance = torch.where(uncertain.any(1, keepdim=True), uncertain, 1.0)
        places = torch.multinomial(chance, self.crops, replacement=True).tolist()
        corners = [
            (
                image,
                min(max(place // size[1] - side // 2, 0), size[0] - side),
                min(max(place % size[1] - side // 2, 0), size[1] - side),
            )
            for image, found in enumerate(places)
            for place in found
        ]

        def windows(of: Tensor) -> Tensor:
            return torch.stack([of[i, ..., y : y + side, x : x + side] for i, y, x in corners])

        strength, kinds = windows(best), windows(torch.where(best > self.high, kind, -1))
        sure = torch.stack([(kinds == k).flatten(1).any(1) for k in range(labels.shape[1])], 1)
        tags = torch.where(sure.sum(1) == 1, sure.int().argmax(1) + 1, UNKNOWN)
        little = (strength > self.low).float().mean((1, 2)) <= self.share
        tags[little] = BACKGROUND
        # nothing says where an image without a label, or with an empty map, has its classes
        nowhere = labels.isnan() | ((labels > 0.5) & (scores.amax((2, 3)) == 0))
        tags[nowhere.any(1).repeat_interleave(self.crops)] = UNKNOWN
        return windows(inputs), tags

    def _remember(self, keys: Tensor, tags: Tensor) -> None:
        """Put what all processes have seen into the queue, and let the means of kinds follow."""
        keys, tags = torch.cat(all_gather(keys)), torch.cat(all_gather(tags))
        most = len(self.queue)
        self.queue.copy_(torch.cat([keys, self.queue])[:most])
        self.queue_tags.copy_(torch.cat([tags, self.queue_tags])[:most])
        for kind in range(len(self.prototypes)):
            if (tags == kind).any():
                mean, old = keys[tags == kind].mean(0), self.prototypes[kind]
                keep = self.prototype_momentum if self.prototype_tags[kind] == kind else 0.0
                self.prototypes[kind] = F.normalize(keep * old + (1 - keep) * mean, dim=0)
                self.prototype_tags[kind] = kind


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, keep: float) -> None:
    """Keep a part of each slow parameter and take the rest from the fast one; copy buffers."""
    parameters, buffers = dict(fast.named_parameters()), dict(fast.named_buffers())
    for name, one in slow.named_parameters():
        one.lerp_(parameters[name], 1 - keep)
    for name, one in slow.named_buffers():
        one.copy_(buffers[name])


@contextmanager
def same_statistics(network: nn.Module) -> Iterator[None]:
    """Let no batch norm learn its running statistics from what it is shown inside."""
    norms = [one for one in network.modules() if isinstance(one, _BatchNorm)]
    before = [one.momentum for one in norms]
    for one in norms:
        one.momentum = 0.0
    try:
        yield
    finally:
        for one, momentum in zip(norms, before, strict=True):
            one.momentum = momentum


def _embedded(crops: Tensor, network: nn.Module, projection: nn.Module) -> Tensor:
    """Return vectors of length 1, [N, D]."""
    means = network.extract_feat(crops)[-1].float().mean((2, 3))
    return F.normalize(projection(means).float(), dim=1)

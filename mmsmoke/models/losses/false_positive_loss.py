import torch
from torch import Tensor, nn

from mmsmoke.functional import false_positive_losses, region_means, regions_of
from mmsmoke.functional.kmeans import kmeans
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

SIDES = POSITIVE, NEGATIVE = 0, 1


@MODELS.register_module()
class FalsePositiveLoss(nn.Module):
    """Push what a map shows away from what maps show in clear images (FPR, for K classes).

    It compares features with centres of two kinds: of the regions that maps show in images of the
    class, and of those that they show in the clear images that are most taken for it, such as
    images of idle chimneys. :class:`~mmsmoke.engine.hooks.FalsePositiveCentresHook` renews the
    centres; before it has done so there is no loss. See
    :func:`~mmsmoke.functional.false_positive_losses`.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        centres: how many of each kind, for each class.
        above: share of a map's maximum from which on a place belongs to its region.
        temperature: of the distance to the centres.
        most: regions of positive images that are kept for each class, by lot.
        hardest: clear images whose regions are kept for each class: those of the highest logits.
        region_weight, pixel_weight: of the two losses.
    """

    def __init__(
        self,
        classifier: nn.Module,
        centres: int = 10,
        above: float = 0.1,
        temperature: float = 13.0,
        most: int = 2000,
        hardest: int = 50,
        region_weight: float = 0.12,
        pixel_weight: float = 1.5e-4,
    ):
        super().__init__()
        for name, value in dict(centres=centres, most=most, hardest=hardest).items():
            if value < 1:
                raise UserError(f'{name} must be at least 1, got {value}')
        self.above, self.temperature, self.most = above, temperature, (most, hardest)
        self.region_weight, self.pixel_weight = region_weight, pixel_weight
        classes, channels = classifier.head.num_classes, classifier.head.in_channels
        self.register_buffer('centres', torch.zeros(2, classes, centres, channels))
        self.register_buffer('counts', torch.zeros(classes, 2, dtype=torch.long))
        self.kept = None

    def forward(
        self, classifier: nn.Module, inputs: Tensor, feats: tuple[Tensor, ...], labels: Tensor
    ) -> dict[str, Tensor]:
        maps = classifier.head.class_maps(feats)[:, : labels.shape[1]].float()
        if self.kept is not None:
            self._keep(feats[-1].float(), maps, classifier.head(feats).float(), labels)
        if self.kept is not None or not self.counts.all(1).any():
            return {}
        region, pixel = false_positive_losses(
            feats[-1].float(), maps, labels > 0.5, *self.centres, self.counts, self.above,
            self.temperature,
        )  # fmt: skip
        return dict(
            loss_fpr_region=self.region_weight * region, loss_fpr_pixel=self.pixel_weight * pixel
        )

    def begin(self, seed: int) -> None:
        """Keep regions of the images that are shown from now on, instead of a loss."""
        self.dice = torch.Generator().manual_seed(seed)
        self.kept = [
            [(one.new_zeros(0, one.shape[1]), one.new_zeros(0)) for one in kind]
            for kind in self.centres
        ]

    @torch.no_grad()
    def _keep(self, feats: Tensor, maps: Tensor, logits: Tensor, labels: Tensor) -> None:
        regions = regions_of(maps, self.above)
        means, found = region_means(feats, regions), regions.any(3).any(2)
        lots = torch.rand(labels.shape, generator=self.dice).to(logits)
        for side, wanted, order in (
            (POSITIVE, labels > 0.5, lots),
            (NEGATIVE, labels <= 0.5, logits),
        ):
            for k, (known, ranks) in enumerate(self.kept[side]):
                mine = wanted[:, k] & found[:, k]
                known = torch.cat([known, means[mine, k]])
                ranks = torch.cat([ranks, order[mine, k]])
                best = ranks.topk(min(self.most[side], len(ranks))).indices
                self.kept[side][k] = known[best], ranks[best]

    @torch.no_grad()
    def finish(self) -> None:
        """Put centres amid the regions that were kept; a kind without any has none."""
        self.centres.zero_()
        for side in SIDES:
            for k, (known, _) in enumerate(self.kept[side]):
                found = kmeans(known, self.centres.shape[2], self.dice)
                self.centres[side, k, : len(found)] = found
                self.counts[k, side] = len(found)
        self.kept = None

import torch
from torch import Tensor

from mmsmoke.functional import (
    correlated_maps,
    cross_equivariance_loss,
    equivariance_loss,
    min_pooling_loss,
    resize_maps,
)
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

from ..backbones.pixel_correlation import require_correlation
from ..heads import PCMHead
from ..losses.crop_contrast_loss import same_statistics
from .cam_classifier import labels_of
from .distiller import Distiller


@MODELS.register_module()
class SEAM(Distiller):
    """Train a classifier on two sizes of each image, whose maps shall agree (arXiv 2004.04581).

    The classifier sees each image whole and once more smaller, with the same weights. Beside the
    labels it learns that

    - its map of the small image is its map of the whole one made smaller (``loss_er``),
    - the map of either, after its pixel correlation module, is the plain map of the other
      (``loss_ecr``), by which that module learns what looks alike; the trunk does not learn from
      the module,
    - some of each image is background (``loss_min``).

    Predictions are the classifier's own. With the read-out ``mmsmoke.CorrelatedCAM`` its maps are
    those of the module, as published; without it they are the plain ones.

    Args:
        student: the classifier. Its backbone has a pixel correlation module in the mode ``seam``,
            as :class:`~mmsmoke.models.backbones.ResNetPCM` can have it, and its head is a
            :class:`~mmsmoke.models.heads.CAMHead` or the like. Batch norms keep the statistics of
            whole images. Further losses (``aux``) see whole images alone. Heads of mmpretrain add
            the losses of K classes up, where SEAM takes their mean: with many classes, say
            ``loss_weight=1 / K`` in the head's ``loss``.
        ratio: of the small image's sides to those of the whole one. As published it is 0.3 of 448
            pixels; small pictures want more, so that the small map has some places left.
        er_weight, ecr_weight: of two of the losses; as published all count alike.
    """

    def __init__(
        self,
        student: dict,
        ratio: float = 0.3,
        er_weight: float = 1.0,
        ecr_weight: float = 1.0,
        init_cfg: dict | None = None,
    ):
        if not 0 < ratio < 1:
            raise UserError(f'ratio must be between 0 and 1, got {ratio}')
        super().__init__(student, init_cfg)
        require_correlation(self.student.backbone, 'SEAM', mode='seam')
        if isinstance(self.student.head, PCMHead):
            raise UserError(
                'SEAM lets maps correlate by itself: its classifier needs the head mmsmoke.CAMHead '
                'instead of mmsmoke.PCMHead'
            )
        self.ratio, self.er_weight, self.ecr_weight = ratio, er_weight, ecr_weight

    def losses_of(
        self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list[WeakSegDataSample]
    ) -> dict[str, Tensor]:
        net = self.student
        small = resize_maps(inputs, [max(round(self.ratio * side), 1) for side in inputs.shape[2:]])
        with same_statistics(net):
            small_feats = net.extract_feat(small)
        self._require_places(inputs, small, small_feats)
        losses = net.losses_of(inputs, feats, data_samples)
        of_small = net.head_losses(small_feats, data_samples)['loss']
        losses['loss_cls'] = (losses.pop('loss') + of_small) / 2
        labels = labels_of(data_samples, net.head.num_classes)
        known = ~labels.isnan().any(1)
        present = labels[known] > 0.5
        views = [self._maps(one, known) for one in (feats, small_feats)]
        lowest = [min_pooling_loss(correlated[:, 1:], present) for _, correlated in views]
        size = small.shape[2:]
        (first, own), (second, other) = (
            [resize_maps(maps, size) for maps in view] for view in views
        )
        er = equivariance_loss(first, second, present)
        ecr = cross_equivariance_loss(own, second, present)
        ecr = ecr + cross_equivariance_loss(other, first, present)
        return dict(
            losses,
            loss_er=self.er_weight * er,
            loss_ecr=self.ecr_weight * ecr,
            loss_min=torch.stack(lowest).mean(),
        )

    def _maps(self, feats: tuple[Tensor, Tensor], known: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps [B, K, h, w] and correlated maps [B, 1 + K, h, w] of labelled images."""
        maps = self.student.head.class_maps(feats)[known, : self.student.head.num_classes].float()
        return maps, correlated_maps(maps, feats[0][known])

    def _require_places(self, inputs: Tensor, small: Tensor, feats: tuple[Tensor, ...]) -> None:
        grid = feats[-1].shape[2:]
        if min(grid) < 2:
            raise UserError(
                f'the second view of pictures of {inputs.shape[3]}x{inputs.shape[2]} has '
                f'{small.shape[3]}x{small.shape[2]} pixels and a map of {grid[1]}x{grid[0]}, which '
                f'is too small: take a ratio above {self.ratio} (--cfg-options model.ratio=…)'
            )

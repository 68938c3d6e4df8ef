import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample


@MODELS.register_module()
class AffinityNet(BaseModel):
    """Learn from confident pseudo labels which neighbouring positions belong together.

    It is trained like a segmentor, on images and label maps with 255; AffinityHook then lets
    scores walk along its affinities.

    Args:
        backbone: any that gives a tuple of maps [B, C, h, w].
        head: :class:`~mmsmoke.models.heads.FeatureAffinityHead` (PSA, thesis) or
            :class:`~mmsmoke.models.heads.BoundaryAffinityHead` (IRN).
        frozen_backbone: only the head learns (IRN).
        flip: predictions are those of the mean of the head's maps for the image and for its
            mirror image (IRN).
        data_preprocessor: must keep image and label map on one grid, as mmseg's does.
        init_cfg: as in mmengine's BaseModule.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        frozen_backbone: bool = False,
        flip: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        self.frozen_backbone = frozen_backbone
        self.flip = flip
        if frozen_backbone:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> 'AffinityNet':
        super().train(mode)
        if self.frozen_backbone:
            self.backbone.eval()
        return self

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_backbone):
            return self.backbone(inputs)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[WeakSegDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor]:
        """Return one of three things, by ``mode``.

        Returns:
            ``loss``: terms of the loss, from the ``gt_sem_seg`` of the samples. ``predict``:
            ``affinity`` [B, P, h, w] within the head's ``walk_radius``, and ``interior``
            [B, 1, h, w], how much of its scores a position takes into the walk. ``tensor``: the
            head's map [B, C, h, w].
        """
        maps = self.head(self.extract_feat(inputs))
        if mode == 'tensor':
            return maps
        if mode == 'loss':
            return self.head.loss(maps, torch.stack([s.gt_sem_seg.data for s in data_samples]))
        if mode == 'predict':
            if self.flip:
                mirrored = self.head(self.extract_feat(inputs.flip(-1)))
                maps = (maps + mirrored.flip(-1)) / 2
            return self.head.predict(maps)
        raise ValueError(f"mode must be 'tensor', 'loss' or 'predict', got {mode!r}")

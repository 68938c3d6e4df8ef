from collections.abc import Sequence

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import add_prefix
from torch import Tensor

from mmsmoke.functional import resize_maps
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError


@MODELS.register_module()
class MultiScaleEncoderDecoder(EncoderDecoder):
    """Look at each image at several scales, in training and at test time, as DeepLabV2 does.

    In training, the logits of the image, of its smaller copies, and the highest of all of them
    have a loss each, which are added up. Unlike in DeepLabV2's code, logits are enlarged to the
    size of the labels, as mmseg does, rather than labels made smaller. At test time the highest
    logits are the answer. With scales of 0.5 and 0.75 all of it costs 1.8 times as much.

    Args:
        scales: of the copies, beside the image itself.
        others: of mmseg's EncoderDecoder.
    """

    def __init__(self, *, scales: Sequence[float] = (0.5, 0.75), **others):
        super().__init__(**others)
        if not scales or any(scale <= 0 or scale == 1 for scale in scales):
            raise UserError(f'scales must be positive and other than 1, got {scales}')
        if self.out_channels == 1:
            raise UserError(
                'the highest of several logits needs a channel of the background beside it: leave '
                'decode_head.out_channels out'
            )
        self.scales = tuple(scales)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Return logits [B, C, H, W] of normalised images [B, 3, H, W]."""
        return self.decode_head.predict_by_feat(self._forward(inputs), batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Tensor:
        return _highest(self._at_all_scales(inputs, self.extract_feat(inputs)))

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        feats = self.extract_feat(inputs)
        logits = self._at_all_scales(inputs, feats)
        losses = {}
        for scale, one in zip((1, *self.scales), logits, strict=True):
            found = self.decode_head.loss_by_feat(one, data_samples)
            found.pop('acc_seg', None)  # that of the answer is enough
            losses |= add_prefix(found, f'decode_{scale}')
        found = self.decode_head.loss_by_feat(_highest(logits), data_samples)
        losses |= add_prefix(found, 'decode')
        if self.with_auxiliary_head:
            losses |= self._auxiliary_head_forward_train(feats, data_samples)
        return losses

    def _at_all_scales(self, inputs: Tensor, feats: Sequence[Tensor]) -> list[Tensor]:
        """Return logits of images, whose features are known, and of their copies, any size."""
        logits = [self.decode_head(feats)]
        for scale in self.scales:
            size = [max(1, round(int(side) * scale)) for side in inputs.shape[2:]]
            logits.append(self.decode_head(self.extract_feat(resize_maps(inputs, size))))
        return logits


def _highest(logits: Sequence[Tensor]) -> Tensor:
    size = logits[0].shape[2:]
    return torch.stack([resize_maps(one, size) for one in logits]).amax(0)

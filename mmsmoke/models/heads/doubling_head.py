from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmsmoke.functional import IGNORE
from mmsmoke.registry import MODELS


@MODELS.register_module()
class DoublingHead(BaseDecodeHead):
    """Decode as SETR does, with a width of its own for each doubling (mmseg's has one).

    The first doubling is learned: each place becomes four of the same width. Each other one is a
    3x3 convolution with norm and ReLU, then bilinear. A 3x3 convolution ends it.

    Args:
        widths: channels of the steps.
        others: of mmseg's BaseDecodeHead.
    """

    def __init__(self, widths: Sequence[int] = (512, 256, 128, 64), **others):
        super().__init__(channels=widths[-1], **others)
        steps = [nn.Conv2d(self.in_channels, 4 * self.in_channels, 1), nn.PixelShuffle(2)]
        for before, after in zip((self.in_channels, *widths), widths, strict=False):
            norm_and_act = dict(norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
            steps.append(ConvModule(before, after, 3, padding=1, **norm_and_act))
            steps.append(nn.Upsample(None, 2, 'bilinear', self.align_corners))
        self.steps = nn.Sequential(*steps)
        self.conv_seg = nn.Conv2d(self.channels, self.out_channels, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Turn feature maps (``in_index`` is taken) into [B, out_channels, h * 2 ** steps, …]."""
        return self.cls_seg(self.steps(self._transform_inputs(inputs)))

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        if all((sample.gt_sem_seg.data == IGNORE).all() for sample in batch_data_samples):
            several = isinstance(self.loss_decode, nn.ModuleList)
            losses = self.loss_decode if several else [self.loss_decode]  # mmseg's may fail
            return {one.loss_name: 0 * seg_logits.sum() for one in losses}
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        if self.out_channels == 1:
            del losses['acc_seg']  # mmseg takes the larger of the one channel
        return losses

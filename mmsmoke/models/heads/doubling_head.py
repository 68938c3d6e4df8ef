from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS


@MODELS.register_module()
class DoublingHead(BaseDecodeHead):
    """SETR's progressive decoder with a width of its own for each doubling (mmseg's has one).

    Each step is a 3x3 convolution with norm and ReLU, then a map of twice the size.

    Args:
        widths: channels of the steps.
        others: of mmseg's BaseDecodeHead.
    """

    def __init__(self, widths: Sequence[int] = (512, 256, 128, 64), **others):
        super().__init__(channels=widths[-1], **others)
        steps = []
        for before, after in zip((self.in_channels, *widths), widths, strict=False):
            norm_and_act = dict(norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
            steps.append(ConvModule(before, after, 3, padding=1, **norm_and_act))
            steps.append(nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False))
        self.steps = nn.Sequential(*steps)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Feature maps, of which ``in_index`` is taken, to [B, out_channels, h * 2 ** steps, …]."""
        return self.cls_seg(self.steps(self._transform_inputs(inputs)))

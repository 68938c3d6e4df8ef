from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS


@MODELS.register_module()
class LargeFOVHead(BaseDecodeHead):
    """Decode as DeepLabV1 does in the literature of weak supervision.

    One 3x3 convolution with wide gaps, the large field of view, then a 1x1 of the same width, each
    with norm and ReLU, dropout, and a 1x1 to the classes. mmseg's FCNHead is not it: all of its
    convolutions have one size.

    Args:
        dilation: of the 3x3 convolution; the literature's 12 is meant for maps of 56 x 56.
        channels: of both convolutions.
        dropout_ratio: of single values, as in the literature; mmseg's heads drop whole channels.
        others: of mmseg's BaseDecodeHead.
    """

    def __init__(
        self, dilation: int = 12, channels: int = 512, dropout_ratio: float = 0.5, **others
    ):
        super().__init__(channels=channels, dropout_ratio=dropout_ratio, **others)
        rest = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.convs = nn.Sequential(
            ConvModule(self.in_channels, channels, 3, padding=dilation, dilation=dilation, **rest),
            ConvModule(channels, channels, 1, **rest),
        )
        self.dropout = nn.Dropout(dropout_ratio)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Turn feature maps (``in_index`` is taken) into logits [B, out_channels, h, w]."""
        return self.cls_seg(self.convs(self._transform_inputs(inputs)))

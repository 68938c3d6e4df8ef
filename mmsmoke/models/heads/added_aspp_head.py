from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmsmoke.registry import MODELS


class AddedConvs(nn.ModuleList):
    """Add up what 3x3 convolutions with gaps of several widths say."""

    def __init__(self, in_channels: int, out_channels: int, dilations: Sequence[int]):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=rate, dilation=rate)
            for rate in dilations
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return sum(conv(inputs) for conv in self)


@MODELS.register_module()
class AddedASPPHead(BaseDecodeHead):
    """Decode as DeepLabV2 does: each of several dilated convolutions classifies, all are added up.

    mmseg's ASPPHead is DeepLabV3's: its branches are concatenated, with the mean of the image
    among them, and another convolution follows.

    Args:
        in_channels: of the feature map.
        dilations: of the 3x3 convolutions; the literature's are meant for maps of 41 x 41.
        dropout_ratio: before them; DeepLabV2 has none.
        others: of mmseg's BaseDecodeHead.
    """

    def __init__(
        self,
        in_channels: int,
        dilations: Sequence[int] = (6, 12, 18, 24),
        dropout_ratio: float = 0,
        **others,
    ):
        super().__init__(in_channels, in_channels, dropout_ratio=dropout_ratio, **others)
        self.conv_seg = AddedConvs(self.in_channels, self.out_channels, dilations)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Turn feature maps (``in_index`` is taken) into logits [B, out_channels, h, w]."""
        return self.cls_seg(self._transform_inputs(inputs))

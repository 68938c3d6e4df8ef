from collections.abc import Sequence

import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample


@MODELS.register_module()
class MeanTTA(BaseTTAModel):
    """Show a segmentor several views of each image and predict their mean.

    Unlike mmseg's SegTTAModel it keeps all that the samples say of their images, and does not
    apply the sigmoid of a single-channel head twice.

    Args:
        module: a segmentor, or its config.
    """

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[WeakSegDataSample]]
    ) -> list[WeakSegDataSample]:
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[WeakSegDataSample]) -> WeakSegDataSample:
        merged, logits = views[0], torch.stack([view.seg_logits.data for view in views])
        if logits.shape[1] > 1:
            mean = logits.softmax(1).mean(0)
            decision, logits = mean.argmax(0, keepdim=True), mean.log()
        else:  # mmseg has made probabilities of it
            logits = logits.mean(0)
            decision = (logits > self.module.decode_head.threshold).to(logits)
        merged.seg_logits = PixelData(data=logits)
        merged.pred_sem_seg = PixelData(data=decision)
        return merged

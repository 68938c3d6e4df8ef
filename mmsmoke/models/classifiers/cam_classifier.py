from mmpretrain.models import ImageClassifier
from torch import Tensor

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample


@MODELS.register_module()
class CAMClassifier(ImageClassifier):
    """mmpretrain's image classifier whose predictions carry class activation maps.

    Args: as :class:`mmpretrain.models.ImageClassifier`. The backbone's last output must be a map
        [B, C, h, w]: for mmpretrain's ViTs say ``out_type='featmap'``. The head is a
        :class:`~mmsmoke.models.heads.CAMHead`.
    """

    def predict(
        self, inputs: Tensor, data_samples: list[WeakSegDataSample] | None = None, **kwargs
    ) -> list[WeakSegDataSample]:
        """Returns samples with ``pred_scores`` [K] and ``cams`` [K, h, w], un-normalised."""
        if data_samples is None:
            data_samples = [WeakSegDataSample() for _ in inputs]
        return super().predict(inputs, data_samples, **kwargs)

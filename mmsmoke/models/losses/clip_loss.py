import torch
from torch import Tensor, nn

from mmsmoke.functional import pool_clips
from mmsmoke.registry import MODELS
from mmsmoke.structures import clips_of
from mmsmoke.utils import DataError, UserError


@MODELS.register_module()
class ClipLoss(nn.Module):
    """Learn from the label of a clip alone: some of its frames show smoke, or none does.

    It is multiple-instance learning: the logits of the frames are pooled, and the head's own loss
    compares what comes of it with the label, see :func:`~mmsmoke.functional.pool_clips`. So a
    frame without smoke in a clip with some is no mistake. Say
    ``clip_loss=dict(type='mmsmoke.ClipLoss')`` in a :class:`~mmsmoke.models.CAMClassifier`, and
    draw batches by a :class:`~mmsmoke.datasets.ClipSampler`: what a batch has of a clip is pooled.

    Args:
        pool: ``max``, a share of the strongest frames as 0.25, ``mean`` or ``softmax``.
    """

    def __init__(self, pool: str | float = 'max'):
        super().__init__()
        pool_clips(torch.zeros(1, 1), torch.zeros(1), pool)  # raises what is wrong with it
        self.pool = pool

    def forward(
        self, head: nn.Module, feats: tuple[Tensor, ...], data_samples: list
    ) -> dict[str, Tensor]:
        if hasattr(head, 'all_logits'):
            raise UserError('ClipLoss pools the logits of one head, not those of a DiversifiedHead')
        logits, clips = head(feats), clips_of(data_samples)
        first = [clips.tolist().index(clip) for clip in range(int(clips.max()) + 1)]
        for sample, clip in zip(data_samples, clips.tolist(), strict=True):
            label = data_samples[first[clip]].gt_label
            if sample.gt_label.tolist() != label.tolist():
                raise DataError(
                    f'{sample.get("image")}: frames of one clip must have one label; '
                    f'that of others is {label.tolist()}, of this one {sample.gt_label.tolist()}'
                )
        pooled = pool_clips(logits, clips.to(logits.device), self.pool)
        return head._get_loss(pooled, [data_samples[k] for k in first])

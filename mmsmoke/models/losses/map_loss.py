import torch
from torch import Tensor, nn

from mmsmoke.functional import balanced_map_loss
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from ..cams import AttentionGradCAM, AttentionRollout, GradCAM, ScoreCAM


@MODELS.register_module()
class MapLoss(nn.Module):
    """Compare class maps with the true masks of the few images that have one.

    Inside and outside of the masks count alike, see
    :func:`~mmsmoke.functional.balanced_map_loss`. ``num_masks``, at the top level of a
    classifier's config or as an option, adds this loss and all that it needs.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        loss_weight: of the loss.
    """

    needs_samples = True

    def __init__(self, classifier: nn.Module, loss_weight: float = 1.0):
        super().__init__()
        read_out = getattr(classifier.read_out, 'cam', classifier.read_out)
        if isinstance(read_out, GradCAM | ScoreCAM | AttentionGradCAM | AttentionRollout):
            raise UserError(
                f"MapLoss trains the head's own maps, but {type(read_out).__name__} reads others: "
                'leave cam out, or num_masks'
            )
        self.loss_weight = loss_weight

    def forward(
        self,
        classifier: nn.Module,
        inputs: Tensor,
        feats: tuple[Tensor, ...],
        labels: Tensor,
        data_samples: list,
    ) -> dict[str, Tensor]:
        if any('true_mask' not in sample for sample in data_samples):
            raise UserError(
                'MapLoss learns from true masks, and the training data have none: say how many, '
                'as in --cfg-options num_masks=25'
            )
        maps = classifier.head.class_maps(feats)[:, : labels.shape[1]]
        seen = [place for place, sample in enumerate(data_samples) if sample.true_mask]
        if not seen:  # several processes wait for the gradient of every parameter
            return dict(loss_map=0 * maps.sum())
        masks = [_mask_of(data_samples[place], inputs.shape[2:]) for place in seen]
        loss = balanced_map_loss(maps[seen], torch.stack(masks).to(maps.device))
        return dict(loss_map=self.loss_weight * loss)


def _mask_of(sample, size: torch.Size) -> Tensor:
    """Return the mask [H, W] of a sample, if it has moved together with its picture."""
    if 'gt_sem_seg' not in sample:
        raise UserError(
            f'{sample.img_path}: its true mask was not loaded; the pipeline needs '
            "dict(type='mmsmoke.LoadMask') after LoadImage"
        )
    mask = sample.gt_sem_seg.data[0]
    if mask.shape != size:
        raise UserError(
            f'{sample.img_path}: its picture has {size[1]}x{size[0]} pixels after all transforms, '
            f'its mask {mask.shape[1]}x{mask.shape[0]}: one of them moves the picture alone'
        )
    return mask

import torch.nn.functional as F
from torch import Tensor, nn


def maps_of_clips(
    classifier: nn.Module,
    inputs: Tensor,
    feats: tuple[Tensor, ...],
    labels: Tensor,
    clips: Tensor,
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return frames [F, 3, h, w] of the size of the maps, class maps and labels of each clip.

    Args:
        clips: [B], the number of the clip that each image is of.
    """
    maps = classifier.head.class_maps(feats)[:, : labels.shape[1]].float()
    small = F.adaptive_avg_pool2d(inputs.float(), maps.shape[2:])
    chosen = [clips == clip for clip in clips.unique()]
    return [(small[there], maps[there], labels[there]) for there in chosen]


def nothing_of(found: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Return a zero that has a gradient: several processes wait for that of every parameter."""
    return 0 * sum(maps.sum() for _, maps, _ in found)

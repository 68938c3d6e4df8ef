from torch import Tensor, nn

from .linear import LinearCAM


class ProjectionCAM(LinearCAM):
    """Read out what a distiller's projection onto class maps gives: what is aligned in training."""

    def __init__(self, projection: nn.Module):
        self.projection = projection

    def __call__(self, classifier, inputs: Tensor) -> tuple[Tensor, Tensor]:
        head, feats = classifier.head, classifier.extract_feat(inputs)
        return head(feats), self.projection(feats[-1])[:, None, : head.num_classes]

from torch import Tensor, nn

from mmsmoke.functional import divergence, mutual_information
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError


@MODELS.register_module()
class DisagreementLoss(nn.Module):
    """Make the heads of a ``mmsmoke.DiversifiedHead`` independent on unlabelled images (DivDis).

    All heads are right about the labelled images, so they disagree where those leave it open what
    to go by: at smoke without chimneys, or at chimneys without smoke. Unlabelled images have to
    show such things, and more than one of them must be in a batch. See
    :func:`~mmsmoke.functional.mutual_information`.

    Args:
        classifier: whose loss it is; :class:`~mmsmoke.models.CAMClassifier` fills it in.
        loss_weight: of the mutual information.
        prior: share of the unlabelled images that is expected to have a class; each head is held
            to it, so that none calls all of them the same. Without it none is.
        prior_weight: of how far heads are from it.
        groups: so many groups of heads, of which only those of one group are made to differ. A
            group that began badly is made good by another: ``tools/choose_head.py`` takes the best
            head of all.
    """

    def __init__(
        self,
        classifier: nn.Module,
        loss_weight: float = 10.0,
        prior: float | None = None,
        prior_weight: float = 10.0,
        groups: int = 1,
    ):
        super().__init__()
        if not hasattr(classifier.head, 'all_logits'):
            raise UserError('DisagreementLoss needs a head of the type mmsmoke.DiversifiedHead')
        if prior is not None and not 0 < prior < 1:
            raise UserError(f'prior must be between 0 and 1, got {prior}')
        heads = classifier.head.heads
        if groups < 1 or heads % groups or heads == groups:
            raise UserError(f'{heads} heads are not {groups} groups of several heads')
        self.loss_weight, self.prior, self.prior_weight = loss_weight, prior, prior_weight
        self.groups = groups

    def forward(
        self, classifier: nn.Module, inputs: Tensor, feats: tuple[Tensor, ...], labels: Tensor
    ) -> dict[str, Tensor]:
        unlabelled = labels.isnan().any(1)
        logits = classifier.head.all_logits(feats)[unlabelled].float()
        if len(logits) < 2:  # a single image has no mutual information
            return dict(loss_disagreement=0 * logits.sum())
        probability = logits.sigmoid()
        # [B, heads of a group, groups * K]: as classes, groups have nothing to do with each other
        groups = probability.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(2)
        losses = dict(loss_disagreement=self.loss_weight * mutual_information(groups))
        if self.prior is not None:
            losses['loss_prior'] = self.prior_weight * divergence(probability, self.prior)
        return losses

import hashlib
import inspect
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import scores_to_mask
from mmsmoke.functional.proposals import RULES, MaskProposals
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, plain, require_one_of

from .proposal_cache import ProposalCache
from .refiner import Refiner


@MODELS.register_module()
class SAMRefiner(Refiner):
    """Fit what the scores say to the edges of mask proposals.

    A threshold makes seeds of the scores, one region a class; a rule redraws them with the
    proposals. The new scores are 0 or 1, so any threshold in (0, 1) gives the same mask. A pixel
    that two classes claim goes to the one that had the higher score.

    Args:
        proposals: config of the component that proposes masks, as ``mmsmoke.SAMProposals``.
        rule: ``thesis`` or ``sam_wsss``, see :mod:`mmsmoke.functional.proposals`.
        threshold: a pixel belongs to the seed of its best class if that score is greater.
        cache_dir: where proposals are kept, for any number of runs; None keeps none.
        options: of the rule: ``max_area``, ``min_purity`` and, for ``thesis``, ``min_iou`` and
            ``keep_seed``.
    """

    def __init__(
        self,
        proposals: dict,
        rule: str = 'thesis',
        threshold: float = 0.3,
        cache_dir: str | None = None,
        **options,
    ):
        check_rule(rule, options)
        if not 0 <= threshold < 1:
            raise UserError(f'threshold must be in [0, 1), got {threshold}')
        self.proposer = MODELS.build(proposals)
        self.rule, self.rule_name, self.options = RULES[rule], rule, options
        self.threshold, self.cache_dir = threshold, cache_dir

    def settings(self) -> dict:
        proposals = plain(self.proposer.settings)
        return dict(
            proposals=proposals, rule=self.rule_name, threshold=self.threshold, **self.options
        )

    def __call__(self, image: np.ndarray, scores: Tensor, present: Tensor) -> Tensor:
        labels = torch.arange(1, len(scores) + 1, device=scores.device)[:, None, None]
        seeds = scores_to_mask(scores, self.threshold) == labels
        if not seeds.any():
            return seeds.to(scores)
        redrawn = self.rule(self._proposals(image), seeds.cpu().numpy(), **self.options)
        claimed = torch.from_numpy(redrawn).to(scores.device)
        best = torch.where(claimed, scores, -1).argmax(0) + 1
        return (claimed & (best == labels)).to(scores)

    @cached_property
    def cache(self) -> ProposalCache:
        """Open the proposals that are kept; from the first use on the folder is settled."""
        return ProposalCache(self.cache_dir, self.proposer)

    def _proposals(self, image: np.ndarray) -> MaskProposals:
        if self.cache_dir is None:
            return self.proposer(image)
        content = hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest()
        proposals = self.cache.read(content)
        if proposals is None or proposals.size != image.shape[:2]:
            proposals = self.proposer(image)
            self.cache.write(content, proposals)
        return proposals


def check_rule(rule: str, options: dict) -> None:
    require_one_of(RULES, rule=rule)
    known = list(inspect.signature(RULES[rule]).parameters)[2:]
    for name, value in options.items():
        if name not in known:
            raise UserError(f'rule {rule!r} has no option {name!r}; it has {", ".join(known)}')
        if not 0 <= value <= 1:
            raise UserError(f'{name} must be in [0, 1], got {value}')

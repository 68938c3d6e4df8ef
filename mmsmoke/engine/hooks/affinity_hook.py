from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import load_checkpoint
from torch import Tensor

from mmsmoke.functional import background_scores, random_walk, resize_maps
from mmsmoke.registry import HOOKS, MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, resolve_network

from .refine_hook import RefineHook

TINY = 1e-12


@HOOKS.register_module()
class AffinityHook(RefineHook):
    """Lets the scores walk along the affinities that a trained AffinityNet sees in the image.

    Args:
        model: the network: ``dict(config='affinity/….py')``, with changes if need be, or spelled
            out.
        checkpoint: its weights, as tools/train.py left them.
        beta: power of the affinities.
        log_t: the walk has 2 ** log_t steps.
        power: the background takes part in the walk, with the score ``(1 - max_k score_k) **
            power``, and the new score of class k is ``k / (background + the strongest class)``:
            a threshold of 0.5 gives PSA's argmax over background and classes. None leaves the
            background out; scores are then divided by the largest one of the image (IRN).
        stage: what metrics call the scores after this hook.
    """

    def __init__(
        self,
        model: str | Mapping,
        checkpoint: str,
        beta: float = 8,
        log_t: int = 8,
        power: float | None = 16,
        stage: str = 'affinity',
    ):
        super().__init__(stage)
        if beta <= 0 or log_t < 0 or (power is not None and power <= 0):
            raise UserError(
                'beta and power must be positive and log_t must not be negative, '
                f'got {beta}, {power} and {log_t}'
            )
        self.model, self.checkpoint = model, checkpoint
        self.walk = dict(beta=beta, log_t=log_t)
        self.power = power

    def before_test(self, runner) -> None:
        super().before_test(runner)
        if not Path(self.checkpoint).is_file():
            raise UserError(
                f'checkpoint {self.checkpoint} of the AffinityNet not found; '
                f'python tools/train.py {self._config()} trains one'
            )
        self.net = MODELS.build(resolve_network(self.model))
        try:
            load_checkpoint(self.net, str(self.checkpoint), map_location='cpu', strict=True)
        except RuntimeError as error:
            reason = ' '.join(str(error).split())[:200]
            raise UserError(
                f'checkpoint {self.checkpoint} does not fit the AffinityNet of '
                f'{self._config()}: {reason}'
            ) from error
        self.net.to(next(runner.model.parameters()).device).eval()

    def _config(self) -> str:
        named = self.model if isinstance(self.model, str) else self.model.get('config')
        if named is None:
            return 'CONFIG (one of configs/affinity/)'
        return named if Path(named).is_file() else f'configs/{named}'

    @torch.no_grad()
    def refine(self, inputs: list[Tensor], samples: list[WeakSegDataSample]) -> list[Tensor]:
        scores = [sample.seg_scores for sample in samples]
        refined = [None] * len(samples)
        for size in {image.shape for image in inputs}:
            places = [place for place, image in enumerate(inputs) if image.shape == size]
            chosen = ([group[place] for place in places] for group in (inputs, scores))
            for place, result in zip(places, self._refine(*chosen), strict=True):
                refined[place] = result
        return refined

    def _refine(self, images: list[Tensor], scores: list[Tensor]) -> list[Tensor]:
        """For images of one size; the scores [K, H, W] may differ in theirs."""
        seen = self.net.test_step(dict(inputs=images))
        grid, device = seen['affinity'].shape[2:], seen['affinity'].device
        maps = [self._with_background(each.float()) for each in scores]
        small = [F.interpolate(each[None], grid, mode='area').to(device) for each in maps]
        walked = random_walk(
            torch.cat(small) * seen['interior'],
            seen['affinity'],
            self.net.head.walk_radius,
            **self.walk,
        )
        return [
            self._normalized(resize_maps(result[None].to(each), each.shape[1:])[0])
            for result, each in zip(walked, scores, strict=True)
        ]

    def _with_background(self, scores: Tensor) -> Tensor:
        if self.power is None:
            return scores
        return torch.cat([background_scores(scores, power=self.power), scores])

    def _normalized(self, walked: Tensor) -> Tensor:
        if self.power is None:
            return walked / walked.amax().clamp(min=TINY)
        background, classes = walked[:1], walked[1:]
        return classes / (background + classes.amax(0, keepdim=True)).clamp(min=TINY)

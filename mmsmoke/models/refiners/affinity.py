from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import load_checkpoint
from torch import Tensor

from mmsmoke.functional import background_scores, random_walk, resize_maps
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, plain, resolve_network, sha256_of_file

from .affinity_net import AffinityNet
from .refiner import Refiner

TINY = 1e-12


@MODELS.register_module()
class AffinityRefiner(Refiner):
    """Let the scores walk along the affinities that a trained AffinityNet sees in the image.

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
    """

    sees_input = True

    def __init__(
        self,
        model: str | Mapping,
        checkpoint: str,
        beta: float = 8,
        log_t: int = 8,
        power: float | None = 16,
    ):
        if beta <= 0 or log_t < 0 or (power is not None and power <= 0):
            raise UserError(
                'beta and power must be positive and log_t must not be negative, '
                f'got {beta}, {power} and {log_t}'
            )
        self.model, self.checkpoint = model, checkpoint
        self.walk = dict(beta=beta, log_t=log_t)
        self.power = power

    def settings(self) -> dict:
        return dict(
            model=plain(self.model),
            checkpoint=str(self.checkpoint),
            checkpoint_sha256=sha256_of_file(self.checkpoint),
            **self.walk,
            power=self.power,
        )

    def start(self, classes: Sequence[str]) -> None:
        _ = self.net

    @cached_property
    def net(self) -> AffinityNet:
        """Build the network with its weights, in eval mode."""
        if not Path(self.checkpoint).is_file():
            raise UserError(
                f'checkpoint {self.checkpoint} of the AffinityNet not found; '
                f'python tools/train.py {self._config()} trains one'
            )
        net = MODELS.build(resolve_network(self.model))
        try:
            load_checkpoint(net, str(self.checkpoint), map_location='cpu', strict=True)
        except RuntimeError as error:
            reason = ' '.join(str(error).split())[:200]
            raise UserError(
                f'checkpoint {self.checkpoint} does not fit the AffinityNet of '
                f'{self._config()}: {reason}'
            ) from error
        return net.eval()

    def _config(self) -> str:
        named = self.model if isinstance(self.model, str) else self.model.get('config')
        if named is None:
            return 'CONFIG (one of configs/affinity/)'
        return named if Path(named).is_file() else f'configs/{named}'

    @torch.no_grad()
    def batch(
        self, images: Sequence[np.ndarray], scores: Sequence[Tensor], present: Sequence[Tensor]
    ) -> list[Tensor]:
        refined = [None] * len(scores)
        for size in {image.shape for image in images}:
            places = [place for place, image in enumerate(images) if image.shape == size]
            chosen = ([group[place] for place in places] for group in (images, scores))
            for place, result in zip(places, self._of_one_size(*chosen), strict=True):
                refined[place] = result
        return refined

    def _of_one_size(self, images: list[np.ndarray], scores: list[Tensor]) -> list[Tensor]:
        """Refine images of one size; the scores [K, H, W] may differ in theirs."""
        self.net.to(scores[0].device)
        # the network's preprocessor takes what a loader gives: BGR, channels first
        inputs = [torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1) for image in images]
        seen = self.net.test_step(dict(inputs=inputs))
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

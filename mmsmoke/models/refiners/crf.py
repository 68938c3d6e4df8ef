from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import CRF_PRESETS, label_probs, label_scores
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

from .dense_crf import DenseCRF
from .refiner import Refiner, refine_present

# how the users of each preset score the background
BACKGROUNDS = dict(
    thesis=dict(power=48),
    psa=dict(power=4),
    irn=dict(constant=0.3),
    clip_es=dict(power=1),
    deeplab=dict(remainder=True),
    translucent=dict(level=0.85, sharpness=20),
)
RULES = ({'power'}, {'constant'}, {'level'}, {'level', 'sharpness'}, {'remainder'})


@MODELS.register_module()
class CRFRefiner(Refiner):
    """Refine by a dense CRF: scores become probabilities that follow the edges of the image.

    Only classes that the image has take part, beside the background.

    Args:
        preset: ``thesis``, ``psa``, ``irn``, ``clip_es``, ``translucent``, or, for the
            probabilities of a segmentor, ``deeplab``.
        backend: ``pydensecrf`` or ``torch``; see :class:`DenseCRF`.
        background: score of the background, ``dict(power=48)``, ``dict(constant=0.3)``,
            ``dict(level=0.85, sharpness=20)`` or ``dict(remainder=True)``, see
            :func:`~mmsmoke.functional.background_scores`; by default as the users of the preset
            have it (PSA's 4; SEAM takes 4 and 24, ACR 1 and 12).
        certainty: start from hard labels that are right with this probability, not from scores;
            0.7 with the preset ``irn``, None (scores) with all others.
        half: work on every second row and column, four times less to do.
        workers: processes; None for one per core. Torch on a GPU takes none.
    """

    def __init__(
        self,
        preset: str = 'thesis',
        backend: str = 'pydensecrf',
        background: dict | None = None,
        certainty: float | None = None,
        half: bool = False,
        workers: int | None = None,
    ):
        self.crf = DenseCRF(preset, backend, half, workers)
        self.background = dict(background or BACKGROUNDS[preset])
        if set(self.background) not in RULES:
            raise UserError(
                'background must be dict(power=…), dict(constant=…), dict(level=…, sharpness=…) '
                f'or dict(remainder=True), got {self.background}'
            )
        if certainty is None and preset == 'irn':
            certainty = 0.7
        if certainty is not None and not 0 < certainty < 1:
            raise UserError(f'certainty must be between 0 and 1, got {certainty}')
        self.certainty = certainty

    def settings(self) -> dict:
        return dict(
            preset=self.crf.preset,
            **asdict(CRF_PRESETS[self.crf.preset]),
            background=self.background,
            certainty=self.certainty,
            half=self.crf.half,
            backend=self.crf.backend,
        )

    def start(self, classes: Sequence[str]) -> None:
        self.crf.start()

    def stay_in_process(self) -> None:
        self.crf.workers = 1

    def close(self) -> None:
        self.crf.close()

    def batch(
        self, images: Sequence[np.ndarray], scores: Sequence[Tensor], present: Sequence[Tensor]
    ) -> list[Tensor]:
        return refine_present(self._refine, images, scores, present)

    def _refine(self, images: Sequence[np.ndarray], scores: list[Tensor]) -> list[Tensor]:
        return [probs[1:] for probs in self.crf(images, [*map(self._probs, scores)])]

    def _probs(self, scores: Tensor) -> Tensor:
        """Return [1 + K, H, W], adding up to one, of the background and K classes."""
        together = label_scores(scores, **self.background)
        if self.certainty is None:
            return together
        labels = together.argmax(0).cpu().numpy()
        return torch.from_numpy(label_probs(labels, len(together), self.certainty)).to(scores)

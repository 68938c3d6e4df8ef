from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError

SHORT = dict(
    crf=('CRFRefiner', ['preset']),
    affinity=('AffinityRefiner', ['model', 'checkpoint']),
    sam=('SAMRefiner', ['checkpoint', 'model_type']),
    par=('PAR', []),
)
"""Name the class behind each short form, and the arguments that follow its colons."""


class Refiner:
    """Improve the scores of a picture; the base of what label runs and inference refine with.

    A refiner is called as ``refine(image, scores, present)`` and returns new scores [K, H, W] in
    [0, 1]. It implements that, or ``batch`` where several pictures at once pay.

    Attributes:
        sees_input: the image may be smaller or larger than the scores, as a network was shown it;
            otherwise it has their size.
        needs_labels: ``present`` has to come from the picture's label, because what is present
            decides where something is found.
    """

    sees_input = False
    needs_labels = False

    def settings(self) -> dict:
        """Return what decides about its scores, for a result file."""
        return {}

    def start(self, classes: Sequence[str]) -> None:
        """Get ready for pictures of data with these foreground classes."""

    def stay_in_process(self) -> None:
        """Take no processes for the work, for whoever calls it amidst other threads."""

    def close(self) -> None:
        """Give back what was taken for the work, after the last picture."""

    def __call__(self, image: np.ndarray, scores: Tensor, present: Tensor) -> Tensor:
        """Return new scores [K, H, W] of a picture.

        Args:
            image: uint8 [H, W, 3] RGB.
            scores: [K, H, W] in [0, 1].
            present: bool [K], classes that the picture has; the others have no score.
        """
        return refine_all(self, [image], [scores], [present])[0]

    def batch(
        self, images: Sequence[np.ndarray], scores: Sequence[Tensor], present: Sequence[Tensor]
    ) -> list[Tensor]:
        """Return new scores of several pictures, of any sizes."""
        return [self(*one) for one in zip(images, scores, present, strict=True)]


def refine_all(
    refiner,
    images: Sequence[np.ndarray],
    scores: Sequence[Tensor],
    present: Sequence[Tensor],
) -> list[Tensor]:
    """Let a refiner, or any other such callable, improve what can be improved.

    Pictures without any score stay as they are, and classes that a picture lacks stay absent.
    """
    refined = list(scores)
    places = [place for place, one in enumerate(scores) if one.any()]
    if places:
        chosen = [[group[place] for place in places] for group in (images, scores, present)]
        if hasattr(refiner, 'batch'):
            found = refiner.batch(*chosen)
        else:
            found = [refiner(*one) for one in zip(*chosen, strict=True)]
        for place, one in zip(places, found, strict=True):
            refined[place] = one * present[place].to(one)[:, None, None]
    return refined


def refine_present(
    refine: Callable[[Sequence[np.ndarray], list[Tensor]], Iterable[Tensor]],
    images: Sequence[np.ndarray],
    scores: Sequence[Tensor],
    present: Sequence[Tensor],
) -> list[Tensor]:
    """Improve the scores of the present classes alone; the others get none.

    Args:
        refine: returns new scores [P, H, W] of each picture, given the pictures and scores of the
            P classes that each has.
    """
    places = [keep.to(old.device) for keep, old in zip(present, scores, strict=True)]
    found = refine(images, [old[keep] for old, keep in zip(scores, places, strict=True)])
    refined = [torch.zeros_like(old) for old in scores]
    for full, keep, new in zip(refined, places, found, strict=True):
        full[keep] = new
    return refined


def build_refiner(refiner: str | dict | Callable) -> Callable:
    """Build a refiner of its short form or config; any callable is one already.

    Args:
        refiner: in short ``crf``, ``crf:PRESET``, ``par``,
            ``affinity:CONFIG:CHECKPOINT`` or ``sam:CHECKPOINT:MODEL_TYPE``, of which the end may be
            left out.
    """
    if not isinstance(refiner, str):
        return MODELS.build(refiner) if isinstance(refiner, dict) else refiner
    name, *values = refiner.split(':')
    kind, names = SHORT.get(name, (None, []))
    required = dict(affinity=2, sam=1).get(name, 0)
    if kind is None or not required <= len(values) <= len(names):
        forms = ', '.join(
            ':'.join([name, *map(str.upper, names)]) for name, (_, names) in SHORT.items()
        )
        raise UserError(f'{refiner!r} names no refiner; there are {forms}')
    settings = dict(zip(names, values, strict=False))
    if name == 'sam':
        settings = dict(proposals=dict(type='mmsmoke.SAMProposals', **settings))
    return MODELS.build(dict(type=f'mmsmoke.{kind}', **settings))

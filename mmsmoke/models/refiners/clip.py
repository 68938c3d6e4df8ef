from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmsmoke.functional import FUSIONS, fuse_cams
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, require_one_of

from .refiner import Refiner

REPLACE = 'replace'


@MODELS.register_module()
class CLIPRefiner(Refiner):
    """Localise the present classes by CLIP (CLIP-ES), which was trained on other data than yours.

    What comes out rests on outside knowledge: report it apart from results that do not.

    Args:
        clip: config of a :class:`~mmsmoke.models.CLIPES`. Its ``foreground`` holds names for each
            class of the data set.
        source: what spreads along CLIP's attention: ``clip``, its own Grad-CAM, as in CLIP-ES, or
            ``scores``, those that came so far.
        combine: ``replace`` drops the scores that came so far; ``mean``, ``max`` and ``product``
            fuse both as :func:`~mmsmoke.functional.fuse_cams` does.
    """

    needs_labels = True

    def __init__(self, clip: dict, source: str = 'clip', combine: str = REPLACE):
        require_one_of(('clip', 'scores'), source=source)
        require_one_of((REPLACE, *FUSIONS), combine=combine)
        self.config, self.clip = clip, None
        self.source, self.combine = source, combine

    def start(self, classes: Sequence[str]) -> None:
        """Take of the names those of these classes, in their order."""
        foreground = self.config['foreground']
        missing = [name for name in classes if name not in foreground]
        if missing:
            raise UserError(
                f'foreground has names for {", ".join(foreground)}, but none for the class '
                f'{missing[0]!r} of the data set'
            )
        names = {name: foreground[name] for name in classes}
        self.clip = MODELS.build({**self.config, 'foreground': names})

    def __call__(self, image: np.ndarray, scores: Tensor, present: Tensor) -> Tensor:
        if not present.any():
            return torch.zeros_like(scores)
        if self.clip is None:
            self.start(list(self.config['foreground']))
        clip, pixels = self.clip.to(scores.device), torch.from_numpy(image)
        if self.source == 'clip':
            refined = clip(pixels, present)
        else:
            refined = clip(pixels, present, scores)
            # a map without contrast has nothing to spread
            refined = torch.where(refined.amax((1, 2), keepdim=True) > 0, refined, scores)
        if self.combine == REPLACE:
            return refined
        return fuse_cams(torch.stack([scores, refined]), self.combine)

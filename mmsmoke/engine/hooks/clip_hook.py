from collections.abc import Sequence

import torch
from torch import Tensor

from mmsmoke.functional import FUSIONS, fuse_cams
from mmsmoke.registry import HOOKS, MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

from ..picture import picture
from .refine_hook import RefineHook

SOURCES = ('clip', 'scores')
REPLACE = 'replace'


@HOOKS.register_module()
class CLIPHook(RefineHook):
    """Localises the present classes by CLIP (CLIP-ES), which was trained on other data than yours.

    What comes out rests on outside knowledge: report it apart from results that do not.

    Args:
        clip: config of a :class:`~mmsmoke.models.CLIPES`. Its ``foreground`` holds names for each
            class of the data set.
        source: what spreads along CLIP's attention: ``clip``, its own Grad-CAM, as in CLIP-ES, or
            ``scores``, those that came so far.
        combine: ``replace`` drops the scores that came so far; ``mean``, ``max`` and ``product``
            fuse both as :func:`~mmsmoke.functional.fuse_cams` does.
    """

    def __init__(
        self, clip: dict, source: str = 'clip', combine: str = REPLACE, stage: str = 'clip'
    ):
        super().__init__(stage)
        for option, value, known in (
            ('source', source, SOURCES),
            ('combine', combine, (REPLACE, *FUSIONS)),
        ):
            if value not in known:
                raise UserError(f'{option} must be one of {", ".join(known)}, got {value!r}')
        self.config = clip
        self.source, self.combine = source, combine

    def before_test(self, runner) -> None:
        super().before_test(runner)
        classes = runner.test_dataloader.dataset.label_classes
        foreground = self.config['foreground']
        missing = [name for name in classes if name not in foreground]
        if missing:
            raise UserError(
                f'foreground of {type(self).__name__} has names for {", ".join(foreground)}, '
                f'but none for the class {missing[0]!r} of the data set'
            )
        names = {name: foreground[name] for name in classes}
        self.clip = MODELS.build({**self.config, 'foreground': names})

    def refine(self, inputs: list[Tensor], samples: list[WeakSegDataSample]) -> Sequence[Tensor]:
        return [
            self.refine_one(image, sample) for image, sample in zip(inputs, samples, strict=True)
        ]

    def refine_one(self, inputs: Tensor, sample: WeakSegDataSample) -> Tensor:
        scores = sample.seg_scores
        clip = self.clip.to(scores.device)
        image = torch.from_numpy(picture(inputs, sample))
        if self.source == 'clip':
            refined = clip(image, sample.present())
        else:
            refined = clip(image, sample.present(), scores)
            # a map without contrast has nothing to spread
            refined = torch.where(refined.amax((1, 2), keepdim=True) > 0, refined, scores)
        if self.combine == REPLACE:
            return refined
        return fuse_cams(torch.stack([scores, refined]), self.combine)

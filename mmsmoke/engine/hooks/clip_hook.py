from mmsmoke.registry import HOOKS

from .refine_hook import RefineHook


@HOOKS.register_module()
class CLIPHook(RefineHook):
    """Refine by CLIP; arguments are those of :class:`~mmsmoke.models.CLIPRefiner`."""

    def __init__(self, clip: dict, stage: str = 'clip', **refiner):
        super().__init__(dict(type='mmsmoke.CLIPRefiner', clip=clip, **refiner), stage)

from collections.abc import Mapping

from mmsmoke.registry import HOOKS

from .refine_hook import RefineHook


@HOOKS.register_module()
class AffinityHook(RefineHook):
    """Refine by a walk; arguments are those of :class:`~mmsmoke.models.AffinityRefiner`."""

    def __init__(self, model: str | Mapping, checkpoint: str, stage: str = 'affinity', **refiner):
        settings = dict(model=model, checkpoint=checkpoint, **refiner)
        super().__init__(dict(type='mmsmoke.AffinityRefiner', **settings), stage)

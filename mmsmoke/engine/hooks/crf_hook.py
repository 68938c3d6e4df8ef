from mmsmoke.registry import HOOKS

from .refine_hook import RefineHook


@HOOKS.register_module()
class CRFHook(RefineHook):
    """Refine by a dense CRF; arguments are those of :class:`~mmsmoke.models.CRFRefiner`."""

    def __init__(self, stage: str = 'crf', **refiner):
        super().__init__(dict(type='mmsmoke.CRFRefiner', **refiner), stage)

from pathlib import Path

from mmsmoke.registry import HOOKS

from .refine_hook import RefineHook


@HOOKS.register_module()
class SAMHook(RefineHook):
    """Refine by mask proposals; arguments are those of :class:`~mmsmoke.models.SAMRefiner`.

    Proposals are kept in ``sam_proposals`` in the work_dir, unless ``cache_dir`` names another
    folder.
    """

    def __init__(self, proposals: dict, stage: str = 'sam', **refiner):
        super().__init__(dict(type='mmsmoke.SAMRefiner', proposals=proposals, **refiner), stage)

    def before_test(self, runner) -> None:
        super().before_test(runner)
        if self.refiner.cache_dir is None:
            self.refiner.cache_dir = str(Path(runner.work_dir) / 'sam_proposals')

from mmengine.hooks import Hook

from mmsmoke.utils import UserError

from ..loops import PseudoLabelLoop


def require_label_loop(hook: Hook, runner) -> None:
    """For hooks that act between the maps and the masks of a label run, and nowhere else."""
    if not isinstance(runner.test_loop, PseudoLabelLoop):
        name = type(hook).__name__
        raise UserError(f"{name} needs test_cfg=dict(type='mmsmoke.PseudoLabelLoop')")

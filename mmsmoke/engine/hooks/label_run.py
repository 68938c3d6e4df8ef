from mmengine.hooks import Hook

from mmsmoke.utils import UserError

from ..loops import PseudoLabelLoop


def require_label_loop(hook: Hook, runner) -> None:
    """Raise for a hook that acts in label runs only, in a run of another kind."""
    if not isinstance(runner.test_loop, PseudoLabelLoop):
        name = type(hook).__name__
        raise UserError(f"{name} needs test_cfg=dict(type='mmsmoke.PseudoLabelLoop')")

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper

from mmsmoke.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LearnableOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Wrap the optimizer as mmengine does, without parameters that do not learn.

    mmengine hands frozen parameters to the optimizer too, and writes them into its state.
    """

    def __call__(self, model) -> OptimWrapper:
        wrapper = super().__call__(model)
        groups = wrapper.optimizer.param_groups
        for group in groups:
            group['params'] = [p for p in group['params'] if p.requires_grad]
        groups[:] = [group for group in groups if group['params']]
        return wrapper

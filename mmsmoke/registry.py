"""Every registry of mmengine has a child here, in the scope ``mmsmoke``.

A component is imported when something is first looked up in its registry, so ``import mmsmoke``
stays cheap. Configs name our types ``mmsmoke.CAMClassifier`` and so on.
"""

from mmengine import registry as root
from mmengine.registry import Registry


def _child(parent: Registry, *locations: str) -> Registry:
    return Registry(parent.name, parent=parent, scope='mmsmoke', locations=list(locations))


RUNNERS = _child(root.RUNNERS)
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS)
LOOPS = _child(root.LOOPS, 'mmsmoke.engine')
HOOKS = _child(root.HOOKS, 'mmsmoke.engine')
LOG_PROCESSORS = _child(root.LOG_PROCESSORS)
STRATEGIES = _child(root.STRATEGIES)

DATASETS = _child(root.DATASETS, 'mmsmoke.datasets')
DATA_SAMPLERS = _child(root.DATA_SAMPLERS)
TRANSFORMS = _child(root.TRANSFORMS, 'mmsmoke.datasets')

MODELS = _child(root.MODELS, 'mmsmoke.models')
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, 'mmsmoke.engine')
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS)

OPTIMIZERS = _child(root.OPTIMIZERS)
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, 'mmsmoke.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS)

METRICS = _child(root.METRICS, 'mmsmoke.evaluation')
EVALUATOR = _child(root.EVALUATOR)

TASK_UTILS = _child(root.TASK_UTILS)
FUNCTIONS = _child(root.FUNCTIONS)
VISUALIZERS = _child(root.VISUALIZERS)
VISBACKENDS = _child(root.VISBACKENDS)
INFERENCERS = _child(root.INFERENCERS)

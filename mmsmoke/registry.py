"""Every registry of mmengine has a child here, in the scope ``mmsmoke``.

A component is imported when something is first looked up in its registry, so ``import mmsmoke``
stays cheap. Configs name our types ``mmsmoke.CAMClassifier`` and so on.
"""

from mmengine import registry as root
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

import mmsmoke.utils.checkpoints
import mmsmoke.weights  # noqa: F401 (both teach mmengine's CheckpointLoader)

# by which name pip knows what stands before '::' in a base config, as in
# _base_ = 'mmsmoke::cam/resnet50_12e_weakseg-224.py'
MODULE2PACKAGE.update(
    mmsmoke='mmsmoke', mmpretrain='onedl-mmpretrain', mmseg='onedl-mmsegmentation'
)


def _child(parent: Registry, *modules: str) -> Registry:
    locations = [f'mmsmoke.{module}' for module in modules]
    return Registry(parent.name, parent=parent, scope='mmsmoke', locations=locations)


RUNNERS = _child(root.RUNNERS, 'engine')
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS, 'engine')
LOOPS = _child(root.LOOPS, 'engine')
HOOKS = _child(root.HOOKS, 'engine')
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, 'engine')
STRATEGIES = _child(root.STRATEGIES, 'engine')

DATASETS = _child(
    root.DATASETS,
    'datasets.weak_seg',
    'datasets.ijmond',
    'datasets.rise',
    'datasets.smoke5k',
    'datasets.voc',
    'datasets.coco',
)
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, 'datasets.weighted_sampler', 'datasets.clip_sampler')
TRANSFORMS = _child(root.TRANSFORMS, 'datasets.transforms')

MODELS = _child(root.MODELS, 'models')
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, 'models')
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, 'models')
TASK_UTILS = _child(root.TASK_UTILS, 'models')
FUNCTIONS = _child(root.FUNCTIONS, 'datasets')

OPTIMIZERS = _child(root.OPTIMIZERS, 'engine')
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, 'engine')

METRICS = _child(root.METRICS, 'evaluation')
EVALUATOR = _child(root.EVALUATOR, 'evaluation')

VISUALIZERS = _child(root.VISUALIZERS, 'visualization')
VISBACKENDS = _child(root.VISBACKENDS, 'visualization')
INFERENCERS = _child(root.INFERENCERS, 'inference.inferencer')

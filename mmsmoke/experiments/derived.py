"""Make maps, masks, weights and retrained heads of one variant of a sweep for another one."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.labelling import label_run
from mmsmoke.utils.thresholds import PER_CLASS

from .step import Step

Configured = Callable[[Mapping], Config]
KINDS = ('best', 'errors', 'scores', 'masks', 'head')
"""``{best:NAME}`` is the best checkpoint of a variant with the same seed; ``{errors:NAME:FACTOR}``
weights of the images that it calls wrong; ``{scores:NAME}`` a folder of its maps of the training
images, and ``{masks:NAME}`` one of their masks, whose threshold is chosen on the sweep's
``threshold_split`` of their data; ``{head:NAME:METHOD}`` its checkpoint with a retrained head or,
by ``choose``, with the best of several heads first. The sweep's ``labels`` may say how maps are
refined, and that each class has its own threshold:
``dict(refine=[…], threshold='per_class')``."""


def derived_step(
    kind: str,
    place: str,
    argument: str,
    configured: Configured,
    inputs: Mapping[str, Step],
    itself: str,
    sweep: Config,
) -> Step:
    """Return the step that makes something of a finished training.

    Args:
        place: folder of the training, below that of the sweep.
        argument: what stands after the name of the variant.
        configured: makes the config of the training of what ``inputs`` found.
        itself: name of the training among the inputs.
    """

    def of(found: Mapping) -> dict:
        cfg = configured(found)
        # a sweep may test on other data; these are the images that were learned from
        cfg.test_dataloader.dataset.data_root = cfg.train_dataloader.dataset.data_root
        return dict(config=cfg, checkpoint=found[itself]['checkpoint']['path'])

    if kind in ('scores', 'masks'):
        labels, split = sweep.get('labels', {}), sweep.threshold_split
        refine, per_class = labels.get('refine', ()), labels.get('threshold') == PER_CLASS

        def labelling(found: Mapping) -> dict:
            made = of(found)
            made['config'] = label_run(made['config'], refine, score_stride=1)
            return {**made, 'found': found['search']} if 'search' in found else made

        if split is not None:

            def searching(found: Mapping) -> dict:
                chosen = dict(criterion=PER_CLASS) if per_class else {}
                return {**labelling(found), 'split': split, **chosen}

            search = Step(f'{place}/labels/threshold', 'search', searching, inputs)
            inputs = {**inputs, 'search': search}
        return Step(f'{place}/labels', 'label', labelling, inputs)
    if kind == 'errors':
        factor = float(argument or 20)
        name = f'{place}/errors-{factor:g}'
        return Step(name, 'errors', lambda found: dict(**of(found), factor=factor), inputs)
    method = argument or 'afr'
    if method == 'choose':
        return Step(f'{place}/head-{method}', 'choose', of, inputs)
    portion = list(sweep.get('held_out', (0.8, 1.0)))

    def retraining(found: Mapping) -> dict:
        return dict(**of(found), method=method, portion=portion)

    return Step(f'{place}/head-{method}', 'head', retraining, inputs)


def path_of(kind: str, step: Step, result: Mapping, folder: Path) -> str:
    """Return what stands in a config for something that a step has made."""
    if kind == 'errors':
        return result['weights']
    if kind in ('scores', 'masks'):
        return str(folder / step.name / kind)
    return result['checkpoint']['path']

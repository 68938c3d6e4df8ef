"""Make the step of a label run."""

from collections.abc import Mapping

from mmengine.config import Config

from mmsmoke.engine.labelling import WRITER
from mmsmoke.utils.thresholds import Threshold

from .step import Step
from .threshold import with_threshold


def labelling(
    name: str,
    cfg: Config,
    model: Step,
    threshold_split: str | None,
    searched: bool,
    title: str = '',
    others: Mapping[str, Step] | None = None,
    criterion: str | None = None,
) -> Step:
    """Return the step of a label run.

    Args:
        model: step that has tested the classifier or segmentor.
        threshold_split: where the model's threshold was chosen. None: it is as configured.
        searched: a threshold is chosen there for the scores of this run, since they are others than
            those that were tested: refined, or of other views.
        others: what must be done before, too.
        criterion: of :func:`~mmsmoke.experiments.threshold.search_threshold`, if not the usual one.
    """

    def arguments(found: Mapping) -> dict:
        tested, ours = found['model'], cfg.copy()
        if threshold_split is not None:
            chosen = Threshold.of(tested['protocol'])
            label_hook(ours).update(with_threshold(label_hook(ours), chosen))
        searched = dict(found=found['search']) if 'search' in found else {}
        return dict(config=ours, checkpoint=tested['checkpoint']['path'], **searched)

    inputs = dict(others or {}, model=model)
    if threshold_split is not None and searched:

        def searching(found: Mapping) -> dict:
            chosen = dict(criterion=criterion) if criterion else {}
            return {**arguments(found), 'split': threshold_split, **chosen}

        search = Step(f'{name}/threshold', 'search', searching, inputs, title)
        inputs, title = {**inputs, 'search': search}, ''
    return Step(name, 'label', arguments, inputs, title)


def label_hook(cfg: Config) -> dict:
    """Return the settings of the hook that writes the masks."""
    return next(h for h in cfg.custom_hooks if h['type'] == WRITER)

"""List the steps of a pipeline with one seed."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.labelling import WRITER, label_run
from mmsmoke.engine.launch import TRUE_MASKS, load_config
from mmsmoke.utils import UserError
from mmsmoke.utils.thresholds import PER_CLASS, Threshold, scaled

from .evaluate import fix_threshold, tested_splits
from .step import Step
from .threshold import built_hook, with_threshold

WHAT = dict(
    pretrain='labels of other images -> weights to begin with',
    teach='labels -> teacher',
    classify='labels -> classifier',
    label='classifier -> pseudo masks',
    segment='pseudo masks -> segmentor',
    relabel='segmentor -> pseudo masks',
    resegment='its own masks -> segmentor',
    full='true masks -> segmentor',
)
SEGMENTORS = ('segment', 'resegment', 'full')
LABELLING = ('label', 'relabel')
MODEL_OF = dict(label='classify', relabel='segment', resegment='segment', full='segment')
"""Names the stage of the plan whose model another one has, too."""
_NUMBERS = ('seg/image_iou', 'pseudo/image_iou', 'cam/image_iou', 'label/accuracy')

Results = Mapping[str, dict]


class Chain:
    """Make the steps of all stages of a pipeline with one seed.

    Each lies in a folder of its own, ``seed-N/STAGE``. A stage of the plan with a ``seed`` has it
    whatever the seed of the chain, and what belongs to it has the same: the teacher and the label
    run of a classifier, the rounds of a segmentor. All chains then share them.

    Args:
        plan: of :func:`~mmsmoke.experiments.plan.load_plan`.
        folder: of the pipeline.
    """

    def __init__(self, plan: Config, folder: Path, seed: int):
        self.plan, self.folder, self.seed = plan, folder, seed
        self.rounds = plan.get('self_training', {}).get('rounds', 0)
        for stage in self.stages:
            if self._own_seed(stage) is not None:
                self._require_shared(stage, self._inputs(stage))

    @property
    def stages(self) -> list[str]:
        """List the names of the stages, as 'relabel-1', in the order in which they are done."""
        planned = ['pretrain', 'teach', 'classify', 'label', 'segment']
        names = [name for name in planned if name in self.plan]
        for number in range(1, self.rounds + 1):
            names += [f'relabel-{number}', f'resegment-{number}']
        return names + (['full'] if 'full' in self.plan else [])

    def steps(self) -> dict[str, Step]:
        """Return the last step of each stage, which has its result."""
        steps = {}
        for stage in self.stages:
            inputs = {name: steps[name] for name in self._inputs(stage)}
            make = self._labelling if _kind(stage) in LABELLING else self._training
            steps[stage] = make(stage, inputs)
        return steps

    def overview(self, results: Results) -> str:
        """Say what is done, with its main number, and what is not."""
        return ' | '.join(
            f'{stage} {self._number(results[stage])}' if stage in results else f'({stage})'
            for stage in self.stages
        )

    def _number(self, result: Mapping) -> str:
        splits = [result.get('splits', {}).get(name, {}) for name in self.plan.test_splits]
        for numbers in (result.get('metrics', {}), *splits):
            for name in _NUMBERS:
                if name in numbers:
                    return f'{numbers[name]:.1f}'
        return 'done'

    def name(self, stage: str) -> str:
        """Return the folder of a stage below that of the pipeline."""
        return f'seed-{self.seed_of(stage)}/{stage}'

    def config(self, stage: str) -> Config:
        """Return the config of a stage as the plan changes it."""
        kind = _kind(stage)
        trained = self.plan[MODEL_OF.get(kind, kind)]
        options = {key: self.plan[key] for key in ('data_root', 'size') if self.plan.get(key)}
        options = {} if kind == 'pretrain' else options
        options |= trained.get('options', {})
        own = self.plan.get(dict(relabel='self_training').get(kind, kind), {})
        options |= {**own.get('options', {}), 'randomness.seed': self.seed_of(stage)}
        cfg = load_config(trained.config, options=options)
        if kind in LABELLING:
            given = {
                key: own[key]
                for key in ('refine', 'threshold', 'split', 'score_stride')
                if key in own and own[key] != PER_CLASS
            }
            cfg = label_run(cfg, **given)
        return cfg

    def seed_of(self, stage: str) -> int:
        """Return the seed that a stage has."""
        own = self._own_seed(stage)
        return self.seed if own is None else own

    def _own_seed(self, stage: str) -> int | None:
        """Return the seed that the stage has in all chains, or None."""
        kind = _kind(stage)
        owner = dict(MODEL_OF, pretrain='classify', teach='classify', full='full').get(kind, kind)
        seeds = [self.plan.get(name, {}).get('seed') for name in (kind, owner)]
        return next((seed for seed in seeds if seed is not None), None)

    def _inputs(self, stage: str) -> list[str]:
        """List the stages whose results a stage begins with."""
        kind, _, number = stage.partition('-')
        inputs = dict(
            classify=['pretrain', 'teach'],
            label=['classify'],
            segment=['label'],
            relabel=[self.stages[self.stages.index(stage) - 1]],
            resegment=[f'relabel-{number}'],
        ).get(kind, [])
        if kind in SEGMENTORS and self.start_from_classifier:
            inputs.append('classify')
        return [name for name in inputs if name in self.stages]

    def _require_shared(self, stage: str, inputs: list[str]) -> None:
        for name in inputs:
            if self._own_seed(name) is None:
                raise UserError(
                    f'{stage} has a seed that holds for all chains, but begins with {name}, which '
                    f'is another one in each: give {name} a seed, too'
                )

    @property
    def start_from_classifier(self) -> bool:
        return self.plan.get('segment', {}).get('start_from_classifier', False)

    def _training(self, stage: str, inputs: Mapping[str, Step]) -> Step:
        name, title = self.name(stage), self._title(stage)
        configured = partial(self._trained_config, stage)
        trained = Step(name, 'train', lambda found: dict(config=configured(found)), inputs, title)
        splits, threshold_split = self._tested(stage)

        def arguments(found: Results) -> dict:
            return dict(
                config=configured({key: found[key] for key in inputs}),
                checkpoint=found['trained']['checkpoint']['path'],
                splits=splits,
                threshold_split=threshold_split,
                **(dict(per_class=True) if threshold_split and self._per_class else {}),
            )

        return Step(f'{name}/test', 'test', arguments, {**inputs, 'trained': trained})

    @property
    def _per_class(self) -> bool:
        return self.plan.label.get('threshold') == PER_CLASS

    def _tested(self, stage: str) -> tuple[list[str], str | None]:
        """Return what a trained stage is tested on, and the split that chooses its threshold."""
        if stage == 'pretrain':  # on images of its own, on what it validates on
            return [self.config(stage).val_dataloader.dataset.split], None
        threshold_split = self.plan.threshold_split
        splits = tested_splits(self.plan.test_splits, threshold_split)
        return splits, None if _kind(stage) in SEGMENTORS else threshold_split

    def _trained_config(self, stage: str, found: Results) -> Config:
        cfg, kind = self.config(stage), _kind(stage)
        if kind in SEGMENTORS:
            masks = dict(segment='label', resegment=stage.replace('resegment', 'relabel')).get(kind)
            folder = str(self.folder / self.name(masks) / 'masks') if masks else TRUE_MASKS
            cfg.train_dataloader.dataset.seg_map_dir = folder
            if self.start_from_classifier:
                learner = 'student.' if 'student' in self.config('classify').model else ''
                cfg.model.backbone.init_cfg = _start(found['classify'], f'{learner}backbone')
            return cfg
        if 'pretrain' in found:
            learner = cfg.model.get('student', cfg.model)
            learner.init_cfg = _start(found['pretrain'], None)
        if 'teach' in found:
            cfg.model.teacher.init_cfg = _start(found['teach'], None)
        if self.plan.threshold_split is None and stage != 'pretrain':
            # with nothing to choose a threshold on, maps are tested at that of the label run
            hook = built_hook(label_hook(self.config('label')))
            fix_threshold(cfg.test_evaluator, scaled(hook.threshold, 1, 2))
        return cfg

    def _labelling(self, stage: str, inputs: Mapping[str, Step]) -> Step:
        cfg, (before,) = self.config(stage), inputs
        if self.plan.get('self_training', {}).get('agreement') and _kind(stage) == 'relabel':
            learned_from = self.stages[self.stages.index(before) - 1]
            label_hook(cfg).agree_with = str(self.folder / self.name(learned_from) / 'masks')
        # a segmentor's masks have the threshold of the config
        split = self.plan.threshold_split if stage == 'label' else None
        criterion = PER_CLASS if self._per_class else None
        return labelling(
            self.name(stage), cfg, inputs[before], split, self._title(stage), criterion
        )

    def _title(self, stage: str) -> str:
        number = self.stages.index(stage) + 1
        what = f'{stage}: {WHAT[_kind(stage)]}'
        return f'seed {self.seed}, {number}/{len(self.stages)} {what}'


def labelling(
    name: str,
    cfg: Config,
    model: Step,
    threshold_split: str | None,
    title: str = '',
    criterion: str | None = None,
) -> Step:
    """Return the step of a label run.

    Args:
        model: step that has tested the classifier or segmentor.
        threshold_split: where the model's threshold was chosen, and that of refined scores will be.
            None: it is as configured.
        criterion: of :func:`~mmsmoke.experiments.threshold.search_threshold`, if not the usual one.
    """

    def arguments(found: Results) -> dict:
        tested, ours = found['model'], cfg.copy()
        if threshold_split is not None:
            chosen = Threshold.of(tested['protocol'])
            label_hook(ours).update(with_threshold(label_hook(ours), chosen))
        searched = dict(found=found['search']) if 'search' in found else {}
        return dict(config=ours, checkpoint=tested['checkpoint']['path'], **searched)

    inputs = dict(model=model)
    if threshold_split is not None and len(cfg.custom_hooks) > 1:
        # refined scores have a threshold of their own
        def searching(found: Results) -> dict:
            chosen = dict(criterion=criterion) if criterion else {}
            return {**arguments(found), 'split': threshold_split, **chosen}

        search = Step(f'{name}/threshold', 'search', searching, inputs, title)
        inputs, title = {**inputs, 'search': search}, ''
    return Step(name, 'label', arguments, inputs, title)


def label_hook(cfg: Config) -> dict:
    """Return the settings of the hook that writes the masks."""
    return next(h for h in cfg.custom_hooks if h['type'] == WRITER)


def _kind(stage: str) -> str:
    return stage.split('-')[0]


def _start(result: Mapping, prefix: str | None) -> dict:
    """Return an ``init_cfg`` that takes the weights of a finished training."""
    start = dict(type='Pretrained', checkpoint=result['checkpoint']['path'])
    return start if prefix is None else dict(**start, prefix=prefix)

"""List the steps of a pipeline with one seed."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mmengine.config import Config

from mmsmoke.engine.labelling import label_run
from mmsmoke.engine.launch import TRUE_MASKS, load_config
from mmsmoke.utils import UserError
from mmsmoke.utils.thresholds import PER_CLASS, scaled

from .evaluate import fix_threshold, tested_splits
from .label_step import label_hook, labelling
from .step import Step
from .threshold import built_hook

WHAT = dict(
    pretrain='labels of other images -> weights to begin with',
    teach='labels -> teacher',
    classify='labels -> classifier',
    label='classifier -> pseudo masks',
    segment='pseudo masks -> segmentor',
    other='the same masks -> another segmentor',
    otherlabel='the other segmentor -> pseudo masks',
    relabel='segmentor -> pseudo masks',
    resegment='its own masks -> segmentor',
    full='true masks -> segmentor',
)
SEGMENTORS = ('segment', 'other', 'resegment', 'full')
LABELLING = ('label', 'otherlabel', 'relabel')
MODEL_OF = dict(
    label='classify',
    other='segment',
    otherlabel='segment',
    relabel='segment',
    resegment='segment',
    full='segment',
)
"""Names the stage of the plan whose model, or for the other segmentor whose seed, one has, too."""
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
        self.self_training = plan.get('self_training', {})
        self.rounds = self.self_training.get('rounds', 0)
        for stage in self.stages:
            if self._own_seed(stage) is not None:
                self._require_shared(stage, self._inputs(stage))

    @property
    def stages(self) -> list[str]:
        """List the names of the stages, as 'relabel-1', in the order in which they are done."""
        planned = ['pretrain', 'teach', 'classify', 'label', 'segment']
        names = [name for name in planned if name in self.plan]
        for number in range(1, self.rounds + 1):
            if self.self_training.get('agree_with'):
                names += [f'other-{number}', f'otherlabel-{number}']
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
        trained = self._planned(kind)
        options = {key: self.plan[key] for key in ('data_root', 'size') if self.plan.get(key)}
        options = {} if kind == 'pretrain' else options
        if self._sees_masks(kind):
            options |= dict(num_masks=self.plan.num_masks, mask_seed=self.mask_seed)
            if self.plan.get('mask_weight') is not None and kind in SEGMENTORS:
                options['mask_weight'] = self.plan.mask_weight
        options |= trained.get('options', {})
        if kind == 'full':
            options['num_masks'] = 0
        rounds = dict(relabel='self_training', otherlabel='self_training')
        own = self.plan.get(rounds.get(kind, kind), {})
        options |= {**own.get('options', {}), 'randomness.seed': self.seed_of(stage)}
        cfg = load_config(trained['config'], options=options)
        if kind == 'full':
            for key in ('num_masks', 'beside'):
                cfg.train_dataloader.dataset.pop(key, None)
        if kind in LABELLING:
            given = {
                key: own[key]
                for key in ('refine', 'threshold', 'split', 'score_stride')
                if key in own and own[key] != PER_CLASS
            }
            cfg = label_run(cfg, **given)
        return cfg

    def _planned(self, kind: str) -> Mapping:
        """Return what the plan says of the training of a stage of this kind."""
        if kind in ('other', 'otherlabel'):
            other = self.self_training.agree_with
            return dict(config=other) if isinstance(other, str) else other
        return self.plan[MODEL_OF.get(kind, kind)]

    def _sees_masks(self, kind: str) -> bool:
        """Tell whether a stage of this kind learns from the plan's ``num_masks``."""
        if not self.plan.get('num_masks'):
            return False
        if kind in ('teach', 'classify'):
            return self.plan.get(kind, {}).get('masks', False)
        return kind in SEGMENTORS and kind != 'full'

    @property
    def mask_seed(self) -> int:
        """Return the seed of the lot of true masks: that of the first stage which sees them."""
        return self.seed_of(next(filter(self._sees_masks, ('teach', 'classify', 'segment'))))

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
        learned_from, segmentor = _before(number)
        inputs = dict(
            classify=['pretrain', 'teach'],
            label=['classify'],
            segment=['label'],
            other=[learned_from],
            otherlabel=[f'other-{number}'],
            relabel=[segmentor, f'otherlabel-{number}'],
            resegment=[f'relabel-{number}'],
        ).get(kind, [])
        if self._starts_from_classifier(kind):
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

    def _starts_from_classifier(self, kind: str) -> bool:
        """Tell whether the backbone of a stage begins with the classifier's weights."""
        return kind in SEGMENTORS and kind != 'other' and self.start_from_classifier

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
            learned_from, _ = _before(stage.partition('-')[2])
            masks = dict(
                segment='label',
                other=learned_from,
                resegment=stage.replace('resegment', 'relabel'),
            ).get(kind)
            folder = str(self.folder / self.name(masks) / 'masks') if masks else TRUE_MASKS
            cfg.train_dataloader.dataset.seg_map_dir = folder
            if self._starts_from_classifier(kind):
                if 'backbone' not in cfg.model:
                    raise UserError(
                        f'start_from_classifier: {cfg.filename} has no backbone to begin with'
                    )
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
        cfg, (before, *agreeing) = self.config(stage), inputs
        if self.self_training.get('agreement') and _kind(stage) == 'relabel':
            agreeing = [_before(stage.partition('-')[2])[0]]
        if agreeing:
            label_hook(cfg).agree_with = str(self.folder / self.name(agreeing[0]) / 'masks')
        # a segmentor's masks have the threshold of the config
        split = self.plan.threshold_split if stage == 'label' else None
        others = {name: step for name, step in inputs.items() if name != before}
        changed = any(self.plan.label.get(key) for key in ('refine', 'options'))
        criterion = PER_CLASS if self._per_class else None
        name, title = self.name(stage), self._title(stage)
        return labelling(name, cfg, inputs[before], split, changed, title, others, criterion)

    def _title(self, stage: str) -> str:
        number = self.stages.index(stage) + 1
        what = f'{stage}: {WHAT[_kind(stage)]}'
        return f'seed {self.seed}, {number}/{len(self.stages)} {what}'


def _before(number: str) -> tuple[str, str]:
    """Return the masks and the segmentor with which a round of self-training begins."""
    if number in ('', '1'):
        return 'label', 'segment'
    return f'relabel-{int(number) - 1}', f'resegment-{int(number) - 1}'


def _kind(stage: str) -> str:
    return stage.split('-')[0]


def _start(result: Mapping, prefix: str | None) -> dict:
    """Return an ``init_cfg`` that takes the weights of a finished training."""
    start = dict(type='Pretrained', checkpoint=result['checkpoint']['path'])
    return start if prefix is None else dict(**start, prefix=prefix)

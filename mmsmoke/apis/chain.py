"""The stages of a pipeline with one seed, each of them done once."""

import json
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import UserError
from mmsmoke.utils.locks import exclusive

from .evaluate import fix_threshold, tested_splits
from .launch import load_config
from .stages import begin, label_settings, run_tool, say, train_and_test, write_config
from .threshold import built_hook, with_threshold

WHAT = dict(
    pretrain='labels of other images -> weights to begin with',
    teach='labels -> teacher',
    classify='labels -> classifier',
    label='classifier -> pseudo masks',
    segment='pseudo masks -> segmenter',
    relabel='segmenter -> pseudo masks',
    resegment='its own masks -> segmenter',
    full='true masks -> segmenter',
)
SEGMENTERS = ('segment', 'resegment', 'full')
TRUE_MASKS = '{data_root}/masks'
_NUMBERS = ('seg/image_iou', 'pseudo/image_iou', 'cam/image_iou', 'label/accuracy')


class Chain:
    """All stages of a pipeline with one seed.

    Each lies in a folder of its own, ``seed-N/STAGE``. A stage of the plan with a ``seed`` has it
    whatever the seed of the chain, and what belongs to it has the same: the teacher and the label
    run of a classifier, the rounds of a segmenter. All chains then share them.

    Args:
        plan: of :func:`mmsmoke.apis.plan.load_plan`.
    """

    def __init__(self, plan: Config, folder: Path, seed: int):
        self.plan, self.folder, self.seed = plan, folder, seed
        self.rounds = plan.get('self_training', {}).get('rounds', 0)
        self.results = {}
        for stage in self.stages:
            if self._own_seed(stage) is not None:
                self._require_shared(stage, self._inputs(stage))

    @property
    def stages(self) -> list[str]:
        """Names in the order in which they are done, as in 'relabel-1'."""
        planned = ['pretrain', 'teach', 'classify', 'label', 'segment']
        names = [name for name in planned if name in self.plan]
        for number in range(1, self.rounds + 1):
            names += [f'relabel-{number}', f'resegment-{number}']
        return names + (['full'] if 'full' in self.plan else [])

    def run(self) -> dict:
        """The result of each stage, by name, and the seed."""
        for number, stage in enumerate(self.stages, 1):
            kind = stage.split('-')[0]
            say(f'\n== seed {self.seed}, {number}/{len(self.stages)} {stage}: {WHAT[kind]}')
            say(f'   {self.overview()}')
            folder = self.path(stage)
            lock = self.folder / '.locks' / f'{folder.parent.name}-{stage}'
            with exclusive(lock, wait=True):  # chains may share a stage
                result = getattr(self, f'_{kind}')(stage, folder)
            self.results[stage] = dict(result, seed=self._seed(stage))
        return dict(seed=self.seed, **self.results)

    def overview(self) -> str:
        """What is done, with its main number, and what is not."""
        done = [f'{stage} {self._number(stage)}' for stage in self.results]
        return ' | '.join([*done, *(f'({stage})' for stage in self.stages[len(done) :])])

    def _number(self, stage: str) -> str:
        result = self.results[stage]
        splits = [result.get('splits', {}).get(name, {}) for name in self.plan.test_splits]
        for numbers in (result.get('metrics', {}), *splits):
            for name in _NUMBERS:
                if name in numbers:
                    return f'{numbers[name]:.1f}'
        return 'done'

    def path(self, stage: str) -> Path:
        return self.folder / f'seed-{self._seed(stage)}' / stage

    def config(self, stage: str) -> Config:
        """The config of a stage as the plan changes it."""
        where = dict(relabel='self_training', resegment='segment')
        plan = self.plan[where.get(stage.split('-')[0], stage)]
        one_root = self.plan.get('data_root') and stage != 'pretrain'
        root = {'data_root': self.plan.data_root} if one_root else {}
        options = {**root, **plan.get('options', {}), 'randomness.seed': self._seed(stage)}
        return load_config(plan.config, options=options)

    def _seed(self, stage: str) -> int:
        own = self._own_seed(stage)
        return self.seed if own is None else own

    def _own_seed(self, stage: str) -> int | None:
        """That it has in all chains, if it has one."""
        kind = stage.split('-')[0]
        owner = dict(
            pretrain='classify',
            teach='classify',
            label='classify',
            relabel='segment',
            resegment='segment',
        ).get(kind, kind)
        seeds = [self.plan.get(name, {}).get('seed') for name in (kind, owner)]
        return next((seed for seed in seeds if seed is not None), None)

    def _inputs(self, stage: str) -> list[str]:
        """The stages that it begins with."""
        kind, _, number = stage.partition('-')
        inputs = dict(
            classify=['pretrain', 'teach'],
            label=['classify'],
            segment=['label'],
            relabel=[self.stages[self.stages.index(stage) - 1]],
            resegment=[f'relabel-{number}'],
        ).get(kind, [])
        if kind in SEGMENTERS and self.start_from_classifier:
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

    def _splits(self) -> list[str]:
        return tested_splits(self.plan.test_splits, self.plan.threshold_split)

    def _pretrain(self, stage: str, folder: Path) -> dict:
        """On images of its own, tested on what it validates on."""
        cfg = self.config(stage)
        return train_and_test(cfg, folder, [cfg.val_dataloader.dataset.split])

    def _teach(self, stage: str, folder: Path) -> dict:
        return self._train_classifier(self.config(stage), folder)

    def _classify(self, stage: str, folder: Path) -> dict:
        cfg = self.config(stage)
        if 'pretrain' in self.results:
            learner = cfg.model.get('student', cfg.model)
            learner.init_cfg = _start(self.results['pretrain'], None)
        if 'teach' in self.results:
            cfg.model.teacher.init_cfg = _start(self.results['teach'], None)
        return self._train_classifier(cfg, folder)

    def _train_classifier(self, cfg: Config, folder: Path) -> dict:
        """With nothing to choose a threshold on, maps are tested at that of the label run."""
        threshold_split = self.plan.threshold_split
        if threshold_split is None:
            hook = built_hook(_label_hook(self.config('label')))
            fix_threshold(cfg.test_evaluator, round(hook.threshold, 2))
        return train_and_test(cfg, folder, self._splits(), threshold_split)

    def _label(self, stage: str, folder: Path) -> dict:
        cfg = self.config(stage)
        return label(cfg, folder, self.results['classify'], self.plan.threshold_split)

    def _segment(self, stage: str, folder: Path) -> dict:
        return self._train_segmentor(stage, folder, self.path('label') / 'masks')

    def _relabel(self, stage: str, folder: Path) -> dict:
        """By the segmenter of the round before, at the threshold of the config."""
        cfg, before = self.config(stage), self.stages[self.stages.index(stage) - 1]
        if self.plan.self_training.get('agreement'):
            learned_from = self.stages[self.stages.index(before) - 1]
            _label_hook(cfg).agree_with = str(self.path(learned_from) / 'masks')
        return label(cfg, folder, self.results[before], None)

    def _resegment(self, stage: str, folder: Path) -> dict:
        masks = self.path(f'relabel-{stage.split("-")[1]}') / 'masks'
        return self._train_segmentor(stage, folder, masks)

    def _full(self, stage: str, folder: Path) -> dict:
        return self._train_segmentor(stage, folder, TRUE_MASKS)

    def _train_segmentor(self, stage: str, folder: Path, masks: Path | str) -> dict:
        cfg = self.config(stage)
        cfg.train_dataloader.dataset.seg_map_dir = str(masks)
        if self.start_from_classifier:
            learner = 'student.' if 'student' in self.config('classify').model else ''
            prefix = f'{learner}backbone'
            cfg.model.backbone.init_cfg = _start(self.results['classify'], prefix)
        return train_and_test(cfg, folder, self._splits())


def _start(result: dict, prefix: str | None) -> dict:
    """An ``init_cfg`` that takes the weights of a finished training."""
    start = dict(type='Pretrained', checkpoint=result['checkpoint']['path'])
    return start if prefix is None else dict(**start, prefix=prefix)


def _label_hook(cfg: Config) -> dict:
    return next(h for h in cfg.custom_hooks if h['type'] == 'mmsmoke.PseudoLabelHook')


def label(cfg: Config, folder: Path, model: dict, threshold_split: str | None) -> dict:
    """Stage 2 in its folder; returns the manifest without what it says of each image.

    Args:
        model: what tools/test.py wrote about the classifier or segmenter.
        threshold_split: where the model's threshold was chosen, and that of refined scores will be.
            None: it is as configured.
    """
    protocol, checkpoint = model['protocol'], model['checkpoint']
    if threshold_split is not None:
        _label_hook(cfg).update(with_threshold(_label_hook(cfg), **protocol))
    split = cfg.test_dataloader.dataset.split
    reads = [split] if isinstance(split, str) else list(split)
    if threshold_split is not None:
        reads.append(threshold_split)
    begin(folder, label_settings(cfg, checkpoint['sha256'], reads))
    manifest = folder / 'manifest.json'
    if manifest.is_file():
        say(f'{folder} is finished')
    else:
        config = write_config(cfg, folder)
        where = [checkpoint['path'], '--work-dir', folder]
        if threshold_split is not None and len(cfg.custom_hooks) > 1:
            # refined scores have a threshold of their own
            chosen = folder / 'threshold.py'
            search = [config, *where, '--split', threshold_split, '--out', chosen]
            run_tool('search_threshold.py', *search, log=folder / 'search.log')
            config = chosen
        run_tool('make_pseudo_labels.py', config, *where, log=folder / 'label.log')
    content = json.loads(manifest.read_text())
    return {key: content[key] for key in ('split', 'protocol', 'metrics', 'curves')}

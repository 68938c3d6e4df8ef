"""Make a segmentor of images and labels, stage by stage; then a table and a report."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS

from mmsmoke.datasets.smokestack.writer import write_smokestack
from mmsmoke.datasets.writer import count_table
from mmsmoke.engine.launch import TRUE_MASKS
from mmsmoke.inference.predictor import build_model, scope_of
from mmsmoke.reports.report import write_report
from mmsmoke.reports.summary import summary_rows
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.environment import environment
from mmsmoke.utils.locks import exclusive
from mmsmoke.visualization import markdown_table

from .chain import SEGMENTORS, Chain
from .engine import run_steps
from .executors import Executor
from .plan import load_plan
from .screen import say
from .step import RESULTS, Step


def run_pipeline(
    config: str | Path,
    work_dir: str | None = None,
    options: Mapping | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
) -> dict:
    """Run a pipeline config, or go on with it: finished stages and images are kept.

    Started twice at once, each does what the other is not at. A pipeline config has

    - for each training a dict with ``config`` and, if wanted, ``options`` (changes to that config)
      and ``seed`` (which it has in all chains): ``pretrain`` (the classifier on other images, whose
      weights it begins with), ``teach`` (a distiller's teacher), ``classify`` and ``segment``. All
      but ``classify`` may be left out;
    - ``label``: how the classifier labels: ``refine`` and ``threshold``, see
      :func:`~mmsmoke.engine.labelling.label_run`; ``options`` change its config; ``seed``;
    - ``full``, a dict with ``options`` and ``seed``, both optional: the segmentor on true masks, an
      upper bound;
    - ``start_from_classifier=True`` in ``segment``: the segmentors' backbones begin with the
      classifier's weights, for want of pretrained ones;
    - ``self_training`` (``rounds``, ``agreement`` and, as in label, ``refine``, ``threshold``,
      ``options``): the segmentor labels the training images anew and another learns from that, so
      many times; with ``agreement=True`` only from pixels that are what they were, with
      ``agree_with`` (the config of a segmentor, or a dict with ``config`` and ``options``) only
      from those that this segmentor, which has learned from the same masks, calls the same;
    - ``num_masks``: so many true masks, by lot and the same for all stages of a seed, are learned
      from by segmentors beside pseudo masks, and by classifiers with ``masks=True`` in
      ``classify`` or ``teach``; ``mask_weight`` says how often segmentors see them for once that
      they see others, see :func:`~mmsmoke.engine.few_masks.see_few_masks`;
    - ``seeds``, [0] by default;
    - ``data_root`` and ``size``, if all stages but ``pretrain`` have one;
    - ``draw`` (arguments of the Smokestack converter), here or in ``pretrain``, makes the data
      where they are missing;
    - ``threshold_split``, where thresholds are chosen (without it, or without true masks there,
      that of the label run's config holds), ``test_splits``, ['test'] by default, and
      ``picture_split``, from which examples.png shows some, by default the first of these.

    Args:
        jobs, executor: how many steps are done at the same time, and where; see
            :func:`~mmsmoke.experiments.engine.run_steps`.

    Returns:
        The result, as in ``work_dir/results.json``; the report is in ``work_dir/report``.
    """
    plan = load_plan(config, work_dir, options)
    folder, seeds = Path(plan.work_dir), plan.seeds
    chains = {seed: Chain(plan, folder, seed) for seed in seeds}
    # a wrong name is said now, not after hours
    configs = {stage: chains[seeds[0]].config(stage) for stage in chains[seeds[0]].stages}
    if plan.get('data_root'):
        say(f'\n== data: {plan.data_root}')
        draw_if_missing(plan.data_root, plan.get('draw'))
    if 'pretrain' in plan:
        draw_if_missing(configs['pretrain'].data_root, plan.pretrain.get('draw'))
    _check_data(configs, plan)
    if chains[seeds[0]].start_from_classifier:
        require_fitting_backbones(configs)
    found = _run(chains, folder, jobs, executor)
    result = dict(
        pipeline=str(config),
        data_root=plan.get('data_root'),
        chains=found,
        environment=environment(),
    )
    with exclusive(folder / '.locks' / 'report', wait=True):
        say(f'\n== report: {folder}')
        write_json(folder / RESULTS, result)
        report = write_report(folder, result, plan.picture_split)
    say(f'\n{markdown_table(*summary_rows(result))}\n')
    say(f'numbers   {folder / RESULTS}\nreport    {report}')
    return result


def _run(
    chains: Mapping[int, Chain], folder: Path, jobs: int, executor: Executor | None
) -> list[dict]:
    """Do the steps of all chains; return the results of each, by stage."""
    steps = {seed: chain.steps() for seed, chain in chains.items()}
    owners = {}  # of steps that chains share, the first
    for seed, chain in chains.items():
        for step in steps[seed].values():
            owners.setdefault(step.name, chain)
    done: dict[str, dict] = {}

    def found(chain: Chain) -> dict:
        mine = steps[chain.seed].items()
        return {stage: done[step.name] for stage, step in mine if step.name in done}

    def announce(step: Step) -> None:
        if step.title:
            say(f'\n== {step.title}')
            chain = owners[_of_stage(step.name, owners)]
            say(f'   {chain.overview(found(chain))}')

    wanted = [step for one in steps.values() for step in one.values()]
    for step, result in run_steps(wanted, folder, jobs, executor, announce):
        done[step.name] = result
    for chain in chains.values():
        say(f'   {chain.overview(found(chain))}')
    return [
        dict(
            seed=seed,
            **{
                stage: dict(result, seed=chain.seed_of(stage))
                for stage, result in found(chain).items()
            },
        )
        for seed, chain in chains.items()
    ]


def _of_stage(name: str, owners: Mapping[str, Chain]) -> str:
    """Return the step with the result of the stage to which the step of a name belongs."""
    stage = name.removesuffix('/threshold')
    return stage if stage in owners else f'{stage}/test'


def _check_data(configs: Mapping[str, Config], plan: Config) -> None:
    """Raise for what is wrong with the data, before anything is trained.

    The plan loses its ``threshold_split`` if that has no true masks.
    """
    cfg = configs['classify']
    splits = {*plan.test_splits, plan.picture_split, plan.threshold_split} - {None}
    settings = {**cfg.test_dataloader.dataset, 'split': sorted(splits)}
    with scope_of(cfg):
        DATASETS.build(cfg.train_dataloader.dataset)
        tested = DATASETS.build(settings)
    if plan.get('num_masks') and 'segment' in configs:
        few = {**configs['segment'].train_dataloader.dataset, 'seg_map_dir': None}
        with scope_of(configs['segment']):
            len(DATASETS.build(few))  # chooses the true masks; pseudo masks are yet to come
    if 'full' in configs:
        full = {**configs['full'].train_dataloader.dataset, 'seg_map_dir': TRUE_MASKS}
        with scope_of(configs['full']):
            len(DATASETS.build(full))  # reads the table, and the masks
    rows = [tested.get_data_info(index) for index in range(len(tested))]
    positive = [row for row in rows if row['gt_label']]
    if plan.picture_split not in {row['columns']['split'] for row in positive}:
        raise UserError(f'picture_split {plan.picture_split!r} has no positive image to show')
    known = {row['columns']['split'] for row in positive if 'seg_map_path' in row}
    if plan.threshold_split not in (None, *known):
        say(f'{plan.threshold_split} has no true masks: thresholds are as configured')
        plan.threshold_split = None


def require_fitting_backbones(configs: Mapping[str, Config]) -> None:
    """Raise if the segmentors' backbones do not take the weights of the classifier's.

    Loading would silently leave out weights that do not fit.
    """
    classifier = build_model(configs['classify'])
    weights = getattr(classifier, 'student', classifier).backbone.state_dict()
    for stage, cfg in configs.items():
        if stage.split('-')[0] not in SEGMENTORS or stage.startswith('other'):
            continue
        try:  # positions of a ViT are resized
            missing = build_model(cfg).backbone.load_state_dict(weights, strict=False).missing_keys
        except RuntimeError as error:
            missing = [str(error).splitlines()[-1].strip()]
        if missing:
            raise UserError(
                f'start_from_classifier: the backbone of {cfg.filename} does not take the weights '
                f'of that of {configs["classify"].filename}: {missing[0]}'
            )


def draw_if_missing(data_root: str, draw: dict | None) -> None:
    """Draw the scenes of a data set, unless they are there.

    Args:
        draw: arguments of :func:`~mmsmoke.datasets.smokestack.writer.write_smokestack`; without
            them the data must be there.
    """
    if draw is not None:
        # a lock beside the data: whoever else needs them, of whatever run, waits until all is there
        with exclusive(Path(data_root).parent / '.locks' / Path(data_root).name, wait=True):
            written = write_smokestack(data_root, **draw)
            if written.images:
                say(markdown_table(*count_table(written.rows)))
                say(f'{written.images} images drawn to {data_root}, {written.rate:.0f} per second')
    elif not (Path(data_root) / 'labels.csv').is_file():
        raise UserError(
            f'{data_root}/labels.csv not found; say --cfg-options data_root=FOLDER, '
            'or make the data set with a tool of tools/dataset_converters/'
        )

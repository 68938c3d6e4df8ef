"""Make the table of a pipeline: the numbers of each stage on each split, over all seeds."""

from collections.abc import Iterable, Mapping, Sequence

from .sweep_tables import mean_and_spread

ROWS = dict(
    pretrain=[],
    teach=[('teacher: accuracy', 'label/accuracy'), ('teacher, CAM: IoU', 'cam/image_iou')],
    classify=[
        ('classifier: accuracy', 'label/accuracy'),
        ('CAM: foreground IoU', 'cam/image_iou'),
    ],
    label=[('pseudo masks: foreground IoU', 'pseudo/image_iou')],
    segment=[
        ('segmentor: foreground IoU', 'seg/image_iou'),
        ('segmentor: false alarms', 'seg/false_images'),
    ],
    other=[('round {}, other segmentor: foreground IoU', 'seg/image_iou')],
    otherlabel=[('round {}, masks of the other: foreground IoU', 'pseudo/image_iou')],
    relabel=[('round {}, masks: foreground IoU', 'pseudo/image_iou')],
    resegment=[
        ('round {}, segmentor: foreground IoU', 'seg/image_iou'),
        ('round {}, segmentor: false alarms', 'seg/false_images'),
    ],
    full=[
        ('full supervision: foreground IoU', 'seg/image_iou'),
        ('full supervision: false alarms', 'seg/false_images'),
    ],
)


def summary_rows(result: Mapping) -> tuple[list[str], list[list]]:
    """Return header and rows of a pipeline's table: mean ± deviation over the seeds, by split.

    IoU is that of the smoke alone, the mean over the images that have any; false alarms are the
    clear images in which more than 0.1 % of the pixels are called smoke. All in percent.
    """
    chains, found = result['chains'], {}
    for stage in stages_of(chains[0]):
        kind, _, number = stage.partition('-')
        for title, metric in ROWS[kind]:
            for split, runs in numbers_by_split(chains, stage).items():
                if cell := cells_of(runs, [metric])[0]:
                    found.setdefault((title.format(number), len(runs)), {})[split] = cell
    splits = sorted({split for cells in found.values() for split in cells}, key=_order(chains[0]))
    rows = [
        [title, seeds, *(cells.get(split, '') for split in splits)]
        for (title, seeds), cells in found.items()
    ]
    return ['%', 'seeds', *splits], rows


def stages_of(chain: Mapping) -> list[str]:
    """Return the names of the stages of a chain, in the order in which they were done."""
    return [name for name in chain if name != 'seed']


def runs_of(chains: Sequence[Mapping], stage: str) -> list[Mapping]:
    """Return the results of a stage, one for each seed: several chains may share one."""
    return list({chain[stage]['seed']: chain[stage] for chain in chains}.values())


def numbers_by_split(chains: Sequence[Mapping], stage: str) -> dict[str, list[Mapping]]:
    """Return the numbers of all runs of a stage, by split."""
    by_split = [splits_of(run) for run in runs_of(chains, stage)]
    return {split: [splits.get(split, {}) for splits in by_split] for split in by_split[0]}


def cells_of(runs: Sequence[Mapping], metrics: Iterable[str]) -> list[str]:
    """Return mean and spread of metrics over the runs; '' of one that a run lacks."""
    columns = [[numbers.get(metric) for numbers in runs] for metric in metrics]
    return ['' if None in values else mean_and_spread(values) for values in columns]


def _order(chain: Mapping):
    """Return the sorting key of splits: first the labelled one, then the order of the tests."""
    order = [split_of(chain['label']), *splits_of(chain['classify'])]
    return lambda split: order.index(split) if split in order else len(order)


def splits_of(stage: Mapping) -> dict[str, Mapping]:
    """Return the numbers of a stage by split; a label run has one."""
    return stage['splits'] if 'splits' in stage else {split_of(stage): stage['metrics']}


def split_of(label: Mapping) -> str:
    """Return the split that a label run has labelled; several are joined by a plus."""
    split = label['split']
    return split if isinstance(split, str) else ' + '.join(split)

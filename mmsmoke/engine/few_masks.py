"""Let a training see a few true masks, and keep a record of which it has seen."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.runner import Runner

from mmsmoke.utils import UserError, mappings, read_json, write_json
from mmsmoke.utils.configs import TRANSPLANT

RECORD = 'true_masks.json'
MAP_LOSS = 'mmsmoke.MapLoss'
TIMES = 5.0
"""How often a segmentor sees an image with a true mask for once that it sees another one."""
SHOWN = 5
MOVE_IMAGES_ALONE = ('RandAugment', 'AutoAugment', 'Rotate', 'Shear', 'Translate')
"""Transforms of mmpretrain that keep the size of an image, so that nobody would notice."""


def see_few_masks(cfg: Config, beside: str | None = None) -> None:
    """Change the config of a training as its ``num_masks``, and what belongs to it, ask for.

    - ``num_masks``: how many true masks it sees.
    - ``mask_seed``: of the lot that decides which; by default the seed of the training.
    - ``mask_weight``: how often an image with a true mask is shown for once that another one is;
      5 for segmentors. Classifiers and one-stage segmentors see images by default as often as
      without masks, since their labels would come in other proportions.

    A segmentor takes these masks instead of its pseudo masks, a one-stage segmentor instead of
    those that it makes itself. A classifier, or the student of a distiller, learns from them by
    :class:`~mmsmoke.models.losses.MapLoss`.

    Args:
        beside: instead of what the data set says, see
            :class:`~mmsmoke.datasets.WeakSegDataset`.
    """
    number = cfg.num_masks
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise UserError(f'num_masks must be a whole number, got {number!r}')
    found = list(_data_sets(cfg))
    if len(found) != 1:
        raise UserError(
            f'{cfg.filename} learns from {len(found)} data sets: say num_masks of one of them '
            'instead (train_dataloader.dataset…)'
        )
    (dataset,) = found
    dataset.num_masks = number
    if beside is not None:
        dataset.beside = beside
    seed = cfg.get('mask_seed')
    dataset.mask_seed = cfg.get('randomness', {}).get('seed') or 0 if seed is None else seed
    weight = cfg.get('mask_weight')
    alone = dataset.get('beside', 'all') != 'all'
    by_masks_alone = 'seg_map_dir' in dataset
    if alone and not by_masks_alone:
        raise UserError(
            f'{cfg.filename} learns from the labels of all images: beside={dataset.beside!r} is '
            'for segmentors that learn from masks alone'
        )
    _load_masks(cfg, dataset)
    if by_masks_alone:
        weight = TIMES if weight is None else weight
        if alone:
            dataset.seg_map_dir = None
    elif cfg.get('default_scope') != 'mmseg':  # a one-stage segmentor takes masks as they are
        _compare_maps(cfg)
    if weight is not None:
        _weigh(cfg, weight)


def _data_sets(cfg: Config) -> Iterator[Mapping]:
    for node in mappings(cfg.train_dataloader.dataset):
        if 'data_root' in node and 'scores' not in node:  # no transform
            yield node


def _load_masks(cfg: Config, dataset: Mapping) -> None:
    """Make a pipeline load masks and move them with their images."""
    steps = list(dataset.pipeline)
    if any(step['type'] == TRANSPLANT for step in steps):
        raise UserError(
            f'{cfg.filename}: plumes are moved without their masks; say plumes or num_masks, not '
            'both'
        )
    names = [step['type'].split('.')[-1] for step in steps]
    for place, name in enumerate(names):
        if name in MOVE_IMAGES_ALONE and not steps[place]['type'].startswith('mmseg.'):
            raise UserError(
                f'{cfg.filename}: {name} moves images without their masks; leave it out with '
                'num_masks'
            )
        if name == 'RandomResizedCrop':
            steps[place] = {**steps[place], 'type': 'mmsmoke.CropWithMask'}
    if 'LoadMask' not in names:
        first = next((place for place, name in enumerate(names) if name.startswith('LoadIm')), -1)
        steps.insert(first + 1, dict(type='mmsmoke.LoadMask'))
    dataset.pipeline = steps


def _compare_maps(cfg: Config) -> None:
    """Make a classifier compare its maps with masks."""
    learner = cfg.model.get('student', cfg.model)
    aux = list(learner.get('aux') or [])
    if not any(one['type'] == MAP_LOSS for one in aux):
        learner.aux = [*aux, dict(type=MAP_LOSS)]


def _weigh(cfg: Config, weight: float) -> None:
    """Show images with a true mask more often; a sampler of another kind stays as it is."""
    sampler = dict(cfg.train_dataloader.sampler)
    if sampler['type'] == 'DefaultSampler':
        sampler.pop('shuffle', None)
        sampler |= dict(type='mmsmoke.WeightedSampler', weights=False)
    if sampler['type'] == 'mmsmoke.WeightedSampler':
        cfg.train_dataloader.sampler = dict(sampler, true_masks=weight)
    elif cfg.get('mask_weight') is not None:
        raise UserError(
            f'{cfg.filename}: mask_weight is for the samplers DefaultSampler and '
            f'mmsmoke.WeightedSampler, not for {sampler["type"]}'
        )


@master_only
def keep_record(runner: Runner) -> None:
    """Say in the log, and in the work_dir, which true masks a training sees.

    Raises:
        UserError: if it goes on from one that has seen others.
    """
    path = Path(runner.work_dir) / RECORD
    parts = [getattr(one, 'true_masks', None) for one in _parts(runner.train_dataloader.dataset)]
    found = [seen for seen in parts if seen is not None]
    if runner.cfg.get('resume') and path.is_file():
        before = read_json(path)
        if before not in found:
            raise UserError(
                f'this training has seen the {before["number"]} true masks of {path}, with the '
                f'seed {before["seed"]}: go on with num_masks={before["number"]} '
                f'mask_seed={before["seed"]}, or begin anew in another folder'
            )
    path.unlink(missing_ok=True)  # of a training that was there before
    for seen in found:
        write_json(path, seen)
        names = ', '.join(seen['images'][:SHOWN])
        more = ', …' if seen['number'] > SHOWN else ''
        runner.logger.info(
            f'{seen["number"]} true masks of {seen["groups"]} groups of images (lot '
            f'{seen["seed"]}): {names}{more}; all are named in {path}'
        )


def _parts(dataset) -> Iterator:
    """Yield a data set and those that it wraps."""
    yield dataset
    for one in getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]:
        if one is not None:
            yield from _parts(one)


def seen_masks(cfg: Config, checkpoint: str | Path) -> dict | None:
    """Return how many true masks the training of a checkpoint has seen, and their hash.

    Their names are in the file ``true_masks.json`` beside the checkpoint. Where that is missing it
    is what the config says; None if nothing says that true masks were seen.
    """
    record = Path(checkpoint).parent / RECORD
    if record.is_file():
        return {key: value for key, value in read_json(record).items() if key != 'images'}
    for node in mappings(cfg.get('train_dataloader')):
        if node.get('num_masks'):
            return dict(number=node['num_masks'], seed=node.get('mask_seed', 0))
    return None

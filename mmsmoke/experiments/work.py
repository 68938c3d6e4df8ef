"""Hold the functions that steps run; a new kind is a function here and an entry in KINDS."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier, is_main_process

from mmsmoke.engine import best_checkpoint, launch
from mmsmoke.engine.few_masks import seen_masks
from mmsmoke.utils import (
    checkpoint_hashes,
    mappings,
    sha256_of_file,
    sha256_of_folder,
    write_json,
)
from mmsmoke.utils.environment import checkpoint_record

from .evaluate import evaluate_splits, masks_hash, masks_hash_of, tested_splits
from .step import CONFIG, DETAILS, Kind
from .threshold import search_threshold, use_threshold
from .upweighting import upweight_errors


def train(folder: Path, config: str) -> dict:
    """Train what a config describes, or go on with it; name the checkpoint that counts."""
    cfg = _load(config, folder)
    launch.resume(cfg)
    launch.train(cfg)
    barrier()  # of several processes, one may still be writing
    checkpoint = best_checkpoint(folder)
    seen = seen_masks(cfg, checkpoint)
    record = dict(checkpoint=checkpoint_record(checkpoint))
    return dict(record, true_masks=seen) if seen else record


def test(
    folder: Path,
    config: str,
    checkpoint: str,
    splits: Sequence[str],
    threshold_split: str | None = None,
    per_class: bool = False,
) -> dict:
    """Test a checkpoint; see :func:`~mmsmoke.experiments.evaluate.evaluate_splits`."""
    cfg = _load(config, folder)
    result = evaluate_splits(cfg, checkpoint, list(splits), threshold_split, per_class=per_class)
    details = result.pop('details')
    if is_main_process():
        write_json(folder / DETAILS, details)
    return result


def label(folder: Path, config: str, checkpoint: str, found: Mapping | None = None) -> dict:
    """Write pseudo masks; return the manifest without what it says of each image.

    Args:
        found: threshold that a search has found.
    """
    cfg = _load(config, folder)
    if found is not None:
        use_threshold(cfg, found)
    with launch.alone_in_work_dir(cfg):
        launch.trained_runner(cfg, checkpoint).test()
    barrier()  # of several processes, one may still be writing
    content = json.loads((folder / 'manifest.json').read_text())
    return {key: content[key] for key in ('split', 'protocol', 'metrics', 'curves')}


def search(
    folder: Path, config: str, checkpoint: str, split: str, criterion: str = 'image_iou'
) -> dict:
    """Find the threshold of a label run, as :func:`search_threshold` does."""
    return search_threshold(_load(config, folder), checkpoint, split, criterion)


def errors(folder: Path, config: str, checkpoint: str, factor: float) -> dict:
    """Write weights of the training images; see :func:`upweight_errors`."""
    cfg = _load(config, folder)
    return upweight_errors(cfg, checkpoint, folder / 'weights.csv', factor)


def head(folder: Path, config: str, checkpoint: str, method: str, portion: Sequence[float]) -> dict:
    """Retrain the head of a classifier; see :func:`retrain_head`."""
    from .retraining import retrain_head  # loads networks

    cfg = _load(config, folder)
    return retrain_head(cfg, checkpoint, folder / 'head.pth', method, portion)


def choose(folder: Path, config: str, checkpoint: str) -> dict:
    """Put the best of several heads of a classifier first; see :func:`choose_head`."""
    from .heads import choose_head  # loads networks

    return choose_head(_load(config, folder), checkpoint, folder / 'head.pth')


def _load(config: str, folder: Path) -> Config:
    launcher = 'pytorch' if 'TORCHELASTIC_RUN_ID' in os.environ else 'none'
    return launch.load_config(config, folder, launcher=launcher)


def read_in_training(config: Config) -> dict[str, str]:
    """Return hashes of labels, weights of images, masks, those validated on, too, and checkpoints.

    Of pseudo masks and of maps it is that of their manifest.
    """
    nodes = list(mappings(config.train_dataloader.dataset))
    files = [Path(node['data_root']) / 'labels.csv' for node in nodes if node.get('data_root')]
    files += [Path(node['scores']).parent / 'manifest.json' for node in nodes if 'scores' in node]
    weights = config.train_dataloader.get('sampler', {}).get('weights')
    files += [Path(weights)] if isinstance(weights, str) else []
    hashes = {}
    for node in nodes:
        if node.get('num_masks'):
            truth = Path(node['data_root']) / 'masks'
            hashes[str(truth)] = sha256_of_folder(truth)
        if not node.get('seg_map_dir'):
            continue
        masks = Path(node['seg_map_dir'].replace('{data_root}', str(node.get('data_root'))))
        manifest = masks.parent / 'manifest.json'
        if manifest.is_file():
            files.append(manifest)
        else:  # true masks
            hashes[str(masks)] = sha256_of_folder(masks)
    hashes |= {str(file): sha256_of_file(file) for file in files if file.is_file()}
    if config.get('val_dataloader') is not None:
        hashes['masks validated on'] = masks_hash(config, config.val_dataloader.dataset)
    return hashes | checkpoint_hashes(config.model)


def read_in_test(
    config: Config, checkpoint: str, splits: Sequence[str], threshold_split: str | None = None, **_
) -> dict:
    """Return hashes of the checkpoint, and of labels and true masks of what is tested."""
    return _test_data(config, checkpoint, tested_splits(list(splits), threshold_split))


def read_in_labelling(config: Config, checkpoint: str, **_) -> dict:
    """Return hashes of checkpoints, refiners' too, of labels and true masks.

    And of the masks with which those that are written must agree: that of their manifest.
    """
    split = config.test_dataloader.dataset.split
    hashes = _test_data(config, checkpoint, [split] if isinstance(split, str) else list(split))
    for hook in config.get('custom_hooks') or ():
        if hook.get('agree_with'):
            manifest = Path(hook['agree_with']).parent / 'manifest.json'
            hashes['agree_with'] = sha256_of_file(manifest) if manifest.is_file() else None
    return hashes


def _read_in_search(config: Config, checkpoint: str, split: str, **_) -> dict:
    return _test_data(config, checkpoint, [split])


def _read_in_errors(config: Config, checkpoint: str, **_) -> dict:
    return _test_data(config, checkpoint, ['train'])


def _read_in_head(config: Config, checkpoint: str, **_) -> dict:
    return _test_data(config, checkpoint, ['train', config.val_dataloader.dataset.split])


def _read_in_choice(config: Config, checkpoint: str) -> dict:
    return _test_data(config, checkpoint, [config.val_dataloader.dataset.split])


def _test_data(config: Config, checkpoint: str, splits: list[str]) -> dict:
    """Return hashes of checkpoints, refiners' too, and of labels and true masks of some splits."""
    table = Path(config.test_dataloader.dataset.data_root) / 'labels.csv'
    return dict(
        checkpoint=sha256_of_file(checkpoint),
        refiners=checkpoint_hashes(config.get('custom_hooks', [])),
        labels=sha256_of_file(table) if table.is_file() else None,
        masks=masks_hash_of(config, splits),
    )


def _train_command(folder: Path, config: Config) -> list:
    return ['tools/train.py', folder / CONFIG, '--work-dir', folder, '--resume']


def _test_command(
    folder: Path,
    config: Config,
    checkpoint: str,
    splits: Sequence[str],
    threshold_split: str | None = None,
    per_class: bool = False,
) -> list:
    words = ['tools/test.py', folder / CONFIG, checkpoint, '--splits', *splits]
    words += ['--threshold-split', threshold_split] if threshold_split else []
    return [*words, '--per-class'] if per_class else words


def _label_command(folder: Path, config: Config, checkpoint: str, **_) -> list:
    return ['tools/make_pseudo_labels.py', folder / CONFIG, checkpoint, '--work-dir', folder]


def _search_command(
    folder: Path, config: Config, checkpoint: str, split: str, criterion: str = 'image_iou'
) -> list:
    words = ['tools/search_threshold.py', folder / CONFIG, checkpoint, '--work-dir', folder]
    return [*words, '--split', split, '--criterion', criterion]


def _errors_command(folder: Path, config: Config, checkpoint: str, factor: float) -> list:
    words = ['tools/upweight_errors.py', folder / CONFIG, checkpoint, '--factor', f'{factor:g}']
    return [*words, '--out', folder / 'weights.csv']


def _head_command(
    folder: Path, config: Config, checkpoint: str, method: str, portion: Sequence[float]
) -> list:
    words = ['tools/retrain_head.py', folder / CONFIG, checkpoint, '--method', method]
    return [*words, '--portion', *portion, '--out', folder / 'head.pth']


def _choice_command(folder: Path, config: Config, checkpoint: str) -> list:
    return ['tools/choose_head.py', folder / CONFIG, checkpoint, '--out', folder / 'head.pth']


KINDS = dict(
    train=Kind(train, read_in_training, _train_command, parallel=True),
    test=Kind(test, read_in_test, _test_command, parallel=True),
    label=Kind(label, read_in_labelling, _label_command, parallel=True),
    search=Kind(search, _read_in_search, _search_command, parallel=True),
    errors=Kind(errors, _read_in_errors, _errors_command),
    head=Kind(head, _read_in_head, _head_command),
    choose=Kind(choose, _read_in_choice, _choice_command),
)

"""Runs that a result file knows, as from another machine, so that nobody has to do them again."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.config import Config

from mmsmoke.utils import UserError, mappings, plain, read_json, sha256_of_file

from .environment import environment


def settings_hash(
    cfg: Config, splits: Sequence[str], threshold_split: str | None, before: Iterable[str]
) -> str:
    """Of all that decides the numbers of a training and its test, but the code and the machine.

    Of the data it is what labels.csv says; checkpoints that are yet to come are known by the runs
    that make them.

    Args:
        before: the same of the runs whose checkpoints this one starts from.
    """
    roots = sorted({node['data_root'] for node in mappings(cfg._cfg_dict) if _has_root(node)})
    tables = [Path(root) / 'labels.csv' for root in roots]
    settings = dict(
        config=cfg.to_dict(),
        splits=list(splits),
        threshold_split=threshold_split,
        labels=[sha256_of_file(table) if table.is_file() else None for table in tables],
        before=sorted(before),
    )
    return hashlib.sha256(json.dumps(plain(settings), sort_keys=True).encode()).hexdigest()


def read_known(files: Sequence[str | Path]) -> dict[str, dict]:
    """The runs of result files of tools/sweep.py, by their settings.

    A run that was done with other versions, or on a machine of another kind, says so.
    """
    known, here = {}, environment()
    for file in files:
        result = read_json(file)
        if 'sweep' not in result:
            raise UserError(f'{file} is no result of tools/sweep.py')
        for run in result['runs']:
            made_with = run.get('environment', result['environment'])
            elsewhere = {} if made_with == here else dict(environment=made_with)
            if 'settings' in run:
                known[run['settings']] = {**run, **elsewhere}
    return known


def _has_root(node) -> bool:
    return isinstance(node.get('data_root'), str)

"""Show a model its data before a training begins, so that what does not fit is said by then."""

import re
from collections.abc import Mapping

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim.scheduler.param_scheduler import INF
from mmengine.runner import Runner
from torch import nn

from mmsmoke.utils import UserError
from mmsmoke.utils.configs import short_reason
from mmsmoke.utils.models import unwrapped
from mmsmoke.utils.options import RUN_KEYS, places_of
from mmsmoke.utils.randomness import seeded


def require_fitting_model(runner: Runner) -> None:
    """Raise if the model of a training and its data do not go together.

    Two images pass through the network, whose weights, statistics and random numbers stay as they
    are.
    """
    model, dataset = unwrapped(runner.model), runner.train_dataloader.dataset
    _require_steps(runner.cfg, len(dataset), len(runner.train_dataloader))
    _require_classes(runner.cfg, dataset.metainfo.get('classes') or ())
    mode = model.training
    try:
        with seeded('trial'), torch.no_grad():
            data = pseudo_collate([dataset[0], dataset[len(dataset) - 1]])
            model.eval()
            model(**model.data_preprocessor(data, True), mode='loss')
    except UserError:
        raise
    except (
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
        IndexError,
    ) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise UserError(_what_does_not_fit(runner.cfg, model, error)) from error
    finally:
        model.train(mode)


def _require_steps(cfg: Config, images: int, steps: int) -> None:
    """Raise if there are too few steps an epoch: none, or a part of the schedule would have none.

    Args:
        steps: batches of the training images.
    """
    found = cfg.get('param_scheduler') or []
    parts = [
        part
        for part in ([found] if isinstance(found, Mapping) else found)
        if isinstance(part, Mapping) and part.get('convert_to_iter_based')
    ]
    ends = [(part.get('begin', 0) * steps, part.get('end', INF) * steps) for part in parts]
    if steps and all(int(begin) < int(end) for begin, end in ends):
        return
    problem = 'do not fill one batch'
    if steps:
        problem = f'make {steps} full batches an epoch, too few for the schedule'
    raise UserError(
        f'{images} training images {problem}: --cfg-options '
        f'train_dataloader.batch_size={max(1, images // 4 if steps else images // 2)}'
    )


def _require_classes(cfg: Config, names: tuple[str, ...]) -> None:
    """Raise if a head is made for another number of classes than the data have.

    Args:
        names: of all mask values, the background first.
    """
    for place in places_of(cfg, ['model'], 'num_classes'):
        classifies = not {'classifier', 'auxiliary'}.isdisjoint(place.split('.'))
        classifies = classifies or cfg.get('default_scope') == 'mmpretrain'
        wanted = len(names) - classifies
        found = _get(cfg, place)
        parent = _get(cfg, place.rpartition('.')[0])
        if not names or not isinstance(found, int) or parent.get('out_channels') == 1:
            continue
        if found != wanted:
            background = ' and the background' if wanted == len(names) else ''
            raise UserError(
                f'{place} is {found}, but the data have {wanted} '
                f'({", ".join(names[1:])}{background}): --cfg-options {place}={wanted}'
            )


def _get(cfg: Config, place: str):
    node = cfg
    for key in place.split('.'):
        node = node[int(key) if isinstance(node, list | tuple) else key]
    return node


def _what_does_not_fit(cfg: Config, model: nn.Module, error: Exception) -> str:
    for name, part in model.named_modules():
        kind = getattr(part, 'out_type', 'featmap')
        if kind != 'featmap':  # of mmpretrain's ViTs, which give one vector by default
            option = f'--cfg-options model.{name}.out_type=featmap'
            return f'model.{name} gives no map of features (out_type={kind!r}): {option}'
    reason = short_reason(error)
    found = re.search(r'to have (?P<wanted>\d+) channels, but got (?P<given>\d+)', reason)
    found = found or re.search(r'multiplied \(\d+x(?P<given>\d+) and (?P<wanted>\d+)x', reason)
    for place in places_of(cfg, RUN_KEYS, 'in_channels') if found else ():
        if _get(cfg, place) == int(found['wanted']):
            return f'{place} is {found["wanted"]}, but what comes in has {found["given"]} channels'
    return f'the model does not take the training images: {type(error).__name__}: {reason}'

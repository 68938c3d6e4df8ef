"""Read checkpoints without running code that a stranger may have put into them.

A checkpoint is a pickle, and a pickle may name any function of any module to be called with any
arguments. Here only weights and a few harmless types are let through, whoever asks: our own code,
mmengine's loaders, ``init_cfg``, ``load_from``, resuming. See docs/trust.md.
"""

import os
import re
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlparse

import mmengine.runner.checkpoint
import torch

from .errors import TRUST, UserError
from .harmless import harmless_globals

WAY_ON = 'If you trust whoever made the file: --trust-checkpoint (in Python trust=True)'
PATIENCE = 60
"""Seconds that a download may stand still."""


@contextmanager
def trusting(trust: bool = True) -> Iterator[None]:
    """Let every checkpoint that is read inside run what code it holds, in child processes, too."""
    before = os.environ.get(TRUST, '')
    os.environ[TRUST] = '1' if trust else before
    try:
        yield
    finally:
        os.environ[TRUST] = before


def is_trusted() -> bool:
    """Tell whether the user has said that checkpoints may run code."""
    return os.environ.get(TRUST) == '1'


def read_pickle(file, map_location=None, weights_only=None, **options) -> Any:
    """Read what ``torch.save`` wrote, with the name of the file in every error.

    Args:
        file: path, or an open file.
        weights_only: ignored; mmengine's function, whose place this one takes, has it.
        options: of ``torch.load``.
    """
    name = getattr(file, 'name', 'the checkpoint') if hasattr(file, 'read') else file
    try:
        if is_trusted():
            return torch.load(file, map_location, weights_only=False, **options)
        with torch.serialization.safe_globals(harmless_globals()), warnings.catch_warnings():
            warnings.filterwarnings('ignore', 'Detected pickle protocol')
            content = torch.load(file, map_location, weights_only=True, **options)
    except FileNotFoundError as error:
        raise UserError(f'checkpoint {name} not found') from error
    except UserError:
        raise
    except Exception as error:  # a damaged file makes the reader stumble anywhere
        raise UserError(_reason(name, error)) from error
    if isinstance(content, Mapping) and isinstance(content.get('meta'), Mapping):
        # mmengine executes it when a training is resumed, to ask for the number of GPUs
        content['meta'].pop('config', None)
    return content


def _reason(name, error: Exception) -> str:
    text = str(error)
    found = re.search(r'GLOBAL (\S+)', text) if isinstance(error, UnpicklingError) else None
    if found or 'unrecognized function' in text:
        what = found[1] if found else text.split('unrecognized function')[1].split()[1]
        return f'{name} is refused: it names {what}, which could run code. {WAY_ON}'
    if 'Unsupported operand' in text:
        return (
            f'{name} cannot be read as a checkpoint: it is none, or it was written with a newer '
            f'protocol of pickle than PyTorch reads safely. {WAY_ON}'
        )
    # torch wraps what the reader says into lines of advice
    lines = text.partition('WeightsUnpickler error: ')[2] or text
    reason = (lines.strip().splitlines() or [type(error).__name__])[0]
    return (
        f'{name} cannot be read as a checkpoint: it is damaged, or torch.save did not write it '
        f'({reason or type(error).__name__})'
    )


def read_checkpoint(checkpoint: str | os.PathLike, trust: bool = False) -> dict:
    """Return what is in the file; its weights are read when they are used, where that is possible.

    Args:
        trust: allow the file to run code.
    """
    if not Path(checkpoint).is_file():
        raise UserError(f'checkpoint {checkpoint} not found')
    with open(checkpoint, 'rb') as file:
        is_archive = file.read(4) == b'PK\3\4'  # the older format cannot be mapped into memory
    with trusting(trust):
        content = read_pickle(checkpoint, 'cpu', mmap=is_archive)
    weights_of(content, checkpoint)
    return content


def weights_of(content: Any, name: str | os.PathLike) -> dict[str, torch.Tensor]:
    """Return the weights in what a checkpoint holds."""
    weights = content.get('state_dict', content) if isinstance(content, Mapping) else content
    named = isinstance(weights, Mapping) and all(isinstance(name, str) for name in weights)
    if not named or not any(map(torch.is_tensor, weights.values())):
        kind = type(weights).__name__
        raise UserError(
            f'{name} holds no weights: a dict of tensors by name is needed, not this {kind}'
        )
    if not isinstance(content.get('meta', {}), Mapping):
        raise UserError(f'{name} is damaged: its meta is no dict')
    return weights


def require_resumable(checkpoint: str | os.PathLike) -> None:
    """Raise if a training cannot go on from this file: weights alone do not say where it was."""
    content = read_checkpoint(checkpoint)
    missing = [name for name in ('optimizer', 'message_hub') if name not in content]
    missing += [f'meta.{name}' for name in ('epoch', 'iter') if name not in content.get('meta', {})]
    if missing:
        raise UserError(
            f'{checkpoint} cannot be resumed: it has no {missing[0]}. '
            'To begin with its weights: --cfg-options load_from=FILE, without --resume'
        )


def read_url(url: str, model_dir=None, map_location=None, progress=True, **_) -> Any:
    """Read a checkpoint from the network, or from where an earlier download left it."""
    folder = Path(model_dir or Path(torch.hub.get_dir()) / 'checkpoints')
    file = folder / Path(urlparse(url).path).name
    if not file.exists():
        before = socket.getdefaulttimeout()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            socket.setdefaulttimeout(PATIENCE)
            torch.hub.download_url_to_file(url, str(file), progress=progress)
        except OSError as error:  # URLError and time-outs are of its kind
            raise UserError(cannot_download(url, error, file)) from error
        finally:
            socket.setdefaulttimeout(before)
    return read_pickle(file, map_location)


def cannot_download(
    what: str,
    error: Exception,
    by_hand: str | os.PathLike,
    option: str = 'model.backbone.init_cfg=None',
) -> str:
    """Return the message for weights that the network does not give.

    Args:
        by_hand: where the file can be put.
        option: what makes a training begin without them.
    """
    reason = str(getattr(error, 'reason', None) or error or type(error).__name__).splitlines()[0]
    return (
        f'pretrained weights {what} cannot be downloaded ({reason}). Three ways on: put the file '
        f'there by hand: {by_hand}; take a network whose weights a package carries, as '
        'configs/cam/lite0_3e_weakseg-168.py does (docs/weights.md); or begin with random weights: '
        f'--cfg-options {option}'
    )


# so mmengine reads every checkpoint by the functions of this module
mmengine.runner.checkpoint._safe_torch_load = read_pickle
mmengine.runner.checkpoint.load_url = read_url

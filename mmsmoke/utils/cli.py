"""What all command-line tools have in common."""

import argparse
import functools
import gc
import os
import re
import sys
from collections.abc import Callable

from .errors import TRUST, UserError


def run_parser(description: str, *positionals: tuple[str, str]) -> argparse.ArgumentParser:
    """The options that every run on a config has, named as mmseg users know them.

    Args:
        positionals: name and help of what stands after the config.
    """
    from mmengine.config import DictAction  # loads torch, which converters do without

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    for name, text in positionals:
        parser.add_argument(name, help=text)
    parser.add_argument('--work-dir', help='folder to write into (work_dirs/CONFIG)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='settings to change: key=value …'
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    add_trust_option(parser)
    # accepted for old launch commands; torch sets the variable LOCAL_RANK as well
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


class _TrustCheckpoints(argparse.Action):
    """Says to all code in this process and its children that checkpoints may run code."""

    def __call__(self, *_) -> None:
        os.environ[TRUST] = '1'


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--trust-checkpoint',
        action=_TrustCheckpoints,
        nargs=0,
        help='let checkpoints run the code that they hold (docs/trust.md): for files of people '
        'whom you would let use this computer',
    )


def user_errors_as_text(main: Callable[[], None]) -> Callable[[], None]:
    """Prints a UserError as one line on standard error and exits with 2; with 130 on Ctrl-C."""

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except UserError as error:
            # from a loader worker the text arrives with the worker's traceback before it
            message = str(error).strip().splitlines()[-1]
            message = re.sub(r'^mmsmoke\.utils\.errors\.\w+: ', '', message)
            print(f'error: {message}', file=sys.stderr, flush=True)
            sys.exit(2)
        except KeyboardInterrupt:
            print('stopped', file=sys.stderr, flush=True)
            sys.exit(130)
        _leave_process_group()

    return run


def _leave_process_group() -> None:
    # gloo's threads may still hold tensors of the last exchange; one that lets go of them while
    # Python is shutting down ends the process with SIGABRT. Not after errors: NCCL could wait
    # for the other processes for ever.
    distributed = sys.modules.get('torch.distributed')  # converters do without
    if distributed and distributed.is_available() and distributed.is_initialized():
        gc.collect()  # wrapped models hold the group, too
        distributed.destroy_process_group()

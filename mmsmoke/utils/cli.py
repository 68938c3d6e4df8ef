"""Hold what all command-line tools have in common.

A tool parses its arguments first and imports then what does the work: that takes seconds, which
``--help`` and a mistyped option shall not.
"""

import argparse
import functools
import gc
import os
import re
import sys
from collections.abc import Callable

from .errors import TRUST, UserError


def run_parser(description: str, *positionals: tuple[str, str]) -> argparse.ArgumentParser:
    """Make a parser with the options that every run on a config has, named as in mmseg.

    Args:
        positionals: name and help of what stands after the config.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    for name, text in positionals:
        parser.add_argument(name, help=text)
    parser.add_argument('--work-dir', help='folder to write into (work_dirs/CONFIG)')
    add_config_options(parser)
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


def add_config_options(
    parser: argparse.ArgumentParser, text: str = 'settings to change: key=value …'
) -> None:
    parser.add_argument('--cfg-options', nargs='+', action=_ConfigOptions, help=text)


class _ConfigOptions(argparse.Action):
    """Read settings as mmengine's DictAction does."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        for value in values:
            if not re.match(r'[\w-]+(\.[\w-]+)*=', value):
                parser.error(f'--cfg-options: say key=value, not {value!r}')
        from mmengine.config import DictAction

        try:
            DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)
        except (AssertionError, ValueError) as error:
            parser.error(f'--cfg-options: {error}')
        except RecursionError:  # dict(a=1,b=2), which mmengine takes apart for ever
            parser.error(
                '--cfg-options: a value is a number, a word, or a list or tuple of such; what else '
                f'{" ".join(values)!r} says can stand in a config that has the other one as _base_'
            )


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add what every label run has beside the options of a run."""
    parser.add_argument(
        '--refine',
        nargs='+',
        default=(),
        metavar='REFINER',
        help='refiners, in this order: multi_scale:RECIPE:SCALES, fusion, crf:PRESET, '
        'par, affinity:CONFIG:CHECKPOINT, a recipe of configs/_base_/refine/ or a config file',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='start over; without it, a run goes on where an earlier one stopped',
    )


def number_of(threshold: str | None) -> float | None:
    """Return what stands after --threshold; None if nothing does."""
    try:
        return None if threshold is None else float(threshold)
    except ValueError as error:
        raise UserError(f'--threshold: say a number or a .json file, not {threshold!r}') from error


def add_execution_options(parser: argparse.ArgumentParser) -> None:
    """Add how many steps of a plan are done at the same time, and where."""
    parser.add_argument('--jobs', type=int, default=1, help='steps at a time (%(default)s)')
    parser.add_argument(
        '--gpus', type=int, default=1, help='GPUs for a step that can use several (%(default)s)'
    )
    parser.add_argument(
        '--executor',
        choices=['local', 'slurm', 'submitit-local'],
        default='local',
        help='where steps are done: here, or as jobs of a cluster (extra cluster; %(default)s)',
    )
    parser.add_argument(
        '--executor-options',
        nargs='+',
        default=(),
        metavar='KEY=VALUE',
        help='of a cluster, as slurm_partition=gpu timeout_min=600',
    )


class _TrustCheckpoints(argparse.Action):
    """Say to all code in this process and its children that checkpoints may run code."""

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
    """Print what a user can mend as one line on standard error and exit with 2, on Ctrl-C with 130.

    Besides UserError that is what the operating system refuses: a full disk, a folder that may not
    be written. ``MMSMOKE_DEBUG=1`` shows the stack trace instead.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except (UserError, OSError) as error:
            if os.environ.get('MMSMOKE_DEBUG'):
                raise
            print(f'error: {_in_one_line(error)}', file=sys.stderr, flush=True)
            sys.exit(2)
        except KeyboardInterrupt:
            print('stopped', file=sys.stderr, flush=True)
            sys.exit(130)
        _leave_process_group()

    return run


def _in_one_line(error: UserError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f'{error.filename}: {error.strerror}'
    # from a loader worker the text arrives with the worker's traceback before it
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r'^mmsmoke\.utils\.errors\.\w+: |^\[Errno \d+\] ', '', lines[-1])


def _leave_process_group() -> None:
    # gloo's threads may still hold tensors of the last exchange; one that lets go of them while
    # Python is shutting down ends the process with SIGABRT. Not after errors: NCCL could wait
    # for the other processes for ever.
    distributed = sys.modules.get('torch.distributed')  # converters do without
    if distributed and distributed.is_available() and distributed.is_initialized():
        gc.collect()  # wrapped models hold the group, too
        distributed.destroy_process_group()

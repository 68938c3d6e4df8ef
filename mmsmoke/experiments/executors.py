"""Do steps in processes of this machine, or as jobs of a cluster."""

from argparse import Namespace
from pathlib import Path
from queue import SimpleQueue
from subprocess import Popen

from mmsmoke.utils import UserError

from .process import run_call


class Local:
    """Do steps in processes of this machine.

    Args:
        jobs: how many steps at the same time; on a machine with GPUs each has its share of them.
        gpus: for each step that can use several.
    """

    def __init__(self, jobs: int = 1, gpus: int = 1):
        self.gpus, self.started, self.stopped = gpus, [], False
        self.shares = _shares(jobs, gpus)

    def run(self, folder: Path, parallel: bool) -> dict:
        """Do what is written down in the folder of a step; called by several threads at once.

        Args:
            parallel: it can use several GPUs.
        """
        share = self.shares.get()
        try:
            return run_call(folder, self.gpus if parallel else 1, share, self._watch)
        finally:
            self.shares.put(share)

    def stop(self) -> None:
        """End what is still at work, and what another thread is about to start."""
        self.stopped = True
        for process in self.started:
            process.kill()

    def _watch(self, process: Popen) -> None:
        self.started.append(process)
        if self.stopped:
            process.kill()


def _shares(jobs: int, gpus: int) -> SimpleQueue:
    """Return the GPUs of each of so many jobs; None is all, also those that are not there."""
    import torch

    count = torch.cuda.device_count()
    if gpus > max(count, 1):
        raise UserError(f'--gpus {gpus}, but this machine has {count}')
    if gpus > 1 and not torch.distributed.is_nccl_available():
        raise UserError(
            f'--gpus {gpus}: this PyTorch has no NCCL, as on Windows, so that a step can use one '
            'GPU; --jobs does several steps at a time'
        )
    shares = SimpleQueue()
    for job in range(jobs):
        mine = [(job * gpus + place) % count for place in range(gpus)] if count else None
        shares.put(mine if jobs > 1 or gpus > 1 else None)
    return shares


class Cluster:
    """Do steps as jobs of a cluster, by submitit (``pip install 'mmsmoke[cluster]'``).

    Args:
        folder: where submitit keeps what it needs; all machines must see it.
        cluster: ``slurm``, or ``local`` for processes of this machine.
        gpus: for each job.
        options: of submitit's ``update_parameters``, as ``dict(slurm_partition='gpu')``.
    """

    def __init__(
        self, folder: Path, cluster: str = 'slurm', gpus: int = 1, options: dict | None = None
    ):
        try:
            from submitit import AutoExecutor
        except ImportError:
            raise UserError(
                "jobs on a cluster need submitit: pip install 'mmsmoke[cluster]'"
            ) from None
        self.gpus, self.jobs, self.stopped = gpus, [], False
        try:
            self.executor = AutoExecutor(folder=str(folder), cluster=cluster)
        except RuntimeError as error:  # no Slurm here
            raise UserError(f'--executor {cluster}: {error}') from None
        settings = dict(gpus_per_node=gpus) if cluster == 'slurm' else {}
        settings = dict(timeout_min=60 * 24, name='mmsmoke', **settings)
        self.executor.update_parameters(**{**settings, **(options or {})})

    def run(self, folder: Path, parallel: bool) -> dict:
        job = self.executor.submit(run_call, Path(folder).resolve(), self.gpus if parallel else 1)
        self.jobs.append(job)
        if self.stopped:
            job.cancel()
        try:
            return job.result()
        except Exception as error:  # of submitit's many kinds, with a stack trace of the job
            lines = [line.strip() for line in str(error).splitlines() if line.strip(' -')]
            reason = next((line for line in lines if 'Error:' in line), lines[0] if lines else '')
            raise UserError(
                f'{folder}: job {job.job_id} failed: {reason}; see {job.paths.stderr}'
            ) from None

    def stop(self) -> None:
        self.stopped = True
        for job in self.jobs:
            if not job.done():
                job.cancel()


Executor = Local | Cluster


def executor_of(args: Namespace) -> Executor:
    """Return the executor that the options of a tool ask for."""
    for name in ('jobs', 'gpus'):
        if getattr(args, name) < 1:
            raise UserError(f'--{name} must be at least 1, not {getattr(args, name)}')
    if args.executor == 'local':
        if args.executor_options:
            raise UserError('--executor-options are for clusters, as with --executor slurm')
        return Local(args.jobs, args.gpus)
    options = {}
    for option in args.executor_options:
        name, equals, value = option.partition('=')
        if not (name and equals):
            raise UserError(f'--executor-options: say KEY=VALUE, not {option!r}')
        options[name] = int(value) if value.isdigit() else value
    cluster = args.executor.removeprefix('submitit-')
    return Cluster(Path('work_dirs/submitit'), cluster, args.gpus, options)

"""Do the steps of a plan, each once: finished ones are kept, half-done ones go on."""

import shlex
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeVar

from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.locks import Busy, exclusive

from . import work
from .executors import Executor, Local
from .process import write_call
from .screen import say, speak_as
from .step import RESULTS, Step, begin, fingerprint, with_inputs

Key = TypeVar('Key', bound=Hashable)
PAUSE = 5
"""Seconds between two looks at whether another process has finished a step."""


def run_steps(
    steps: Iterable[Step],
    folder: str | Path,
    jobs: int = 1,
    executor: Executor | None = None,
    announce: Callable[[Step], None] | None = None,
) -> Iterator[tuple[Step, dict]]:
    """Do steps and all that they need; yield each with its result when it is done.

    Several processes with the same folder share the work: each does what no other is at, and
    yields what another has finished, too.

    Args:
        steps: of the same name are the same.
        folder: where each has its own.
        jobs: how many are done at the same time.
        executor: where; in processes of this machine by default.
        announce: called when a step begins; by default its title is said.
    """
    folder, executor = Path(folder), executor or Local(jobs)
    announce = announce or (lambda step: step.title and say(f'\n== {step.title}'))
    wanted = with_inputs(steps)
    order = TopologicalSorter(
        {name: {one.name for one in step.inputs.values()} for name, step in wanted.items()}
    )
    order.prepare()
    results, ready, running, tried, elsewhere = {}, [], {}, set(), set()
    position = {name: place for place, name in enumerate(wanted)}

    def do(step: Step) -> dict:
        speak_as(f'[{step.name}] ' if jobs > 1 else '')
        with exclusive(folder / '.locks' / step.name.replace('/', '-')):
            announce(step)
            return _do(step, folder, results, executor)

    pool = ThreadPoolExecutor(jobs)
    try:
        while order.is_active():
            # what another process is at comes last
            ready = sorted([*ready, *order.get_ready()], key=lambda n: (n in tried, position[n]))
            if not running and ready and tried.issuperset(ready):
                time.sleep(PAUSE)
                tried.clear()
            free = jobs - len(running)
            running |= {pool.submit(do, wanted[name]): name for name in ready[:free]}
            ready = ready[free:]
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                try:
                    results[name] = future.result()
                except Busy:
                    ready.append(name)
                    tried.add(name)
                    if name not in elsewhere:
                        say(f'\n== {name}: another process is at it')
                        elsewhere.add(name)
                    continue
                order.done(name)
                yield wanted[name], results[name]
    except BaseException:
        executor.stop()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_order(needs: Mapping[Key, Iterable[Key]], named: Callable[[Key], str]) -> list[Key]:
    """Return keys so that each comes after those that it needs."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = ', '.join(dict.fromkeys(map(named, error.args[1])))
        raise UserError(f'{circle} need each other in a circle') from None


def _do(step: Step, folder: Path, results: dict[str, dict], executor: Executor) -> dict:
    kind, place = work.KINDS[step.kind], folder / step.name
    arguments = step.arguments({key: results[one.name] for key, one in step.inputs.items()})
    before = [folder / one.name for one in step.inputs.values()]
    done = begin(place, fingerprint(step.kind, arguments, kind.reads(**arguments)), before)
    if done is not None:
        say(f'{place} is finished')
        return done
    write_call(place, step.kind, arguments)
    if kind.command is not None:
        say('$ ' + shlex.join(map(str, ['python', *kind.command(place, **arguments)])))
    result = executor.run(place, kind.parallel)
    write_json(place / RESULTS, result)
    return result

"""Measure what it costs to start: help of each tool, a check of a data set, a first picture.

Each is a process of its own. Benchmarks are left out, most of which need torch from their first
line on. With another checkout to compare with, both take turns. Time on the processors says more
than time on the clock where others are at work. The first picture is looked at with random weights.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmark import options

from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import rows_table

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/segmentors/mlp_r18-s_6e_smokestack-128.py'
DIGITS = {'CPU s': 2, 's': 2, 'MB': None}
# a small process starts the command: one is counted at least the memory of its parent
MEASURE = """
import os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begun
print([used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1e3])
sys.exit(os.waitstatus_to_exitcode(status))
"""
WEIGHTS = """
import sys, torch
from mmengine.registry import MODELS
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import scope_of
cfg = load_config(sys.argv[1])
with scope_of(cfg):
    torch.save(MODELS.build(cfg.model).state_dict(), sys.argv[2])
"""
PICTURE = """
import sys
from mmsmoke.apis import SmokeInferencer
SmokeInferencer(sys.argv[1], sys.argv[2])(sys.argv[3])
"""


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=3)
    parser.add_argument('data_root', type=Path, help='data set to check')
    parser.add_argument('--before', type=Path, help='another checkout, to compare with')
    args = parser.parse_args()
    trees = {'': ROOT} | ({' before': args.before.resolve()} if args.before else {})
    tools = sorted(set.intersection(*map(tools_of, trees.values())))
    helps = [measure(tool, [tool, '--help'], trees, args.repeats) for tool in tools]
    slowest = {name: max(row[name] for row in helps) for name in helps[0] if name != 'what'}
    root = args.data_root.resolve()
    picture = next(path for path in sorted((root / 'images').rglob('*')) if path.is_file())
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, 'weights.pth')
        run(ROOT, ['-c', WEIGHTS, CONFIG, weights])
        work = {
            'check_dataset.py': ['tools/check_dataset.py', root],
            'SmokeInferencer, first picture': ['-c', PICTURE, CONFIG, weights, picture],
        }
        rows = [measure(what, command, trees, args.repeats) for what, command in work.items()]
    rows.insert(0, {'what': f'--help, most of {len(tools)} tools'} | slowest)
    print(rows_table(rows))
    if args.out:
        write_json(args.out, dict(tables=[rows], helps=helps))


def tools_of(tree: Path) -> set[str]:
    """Return all tools that are no benchmarks, by their paths in a checkout."""
    paths = (tree / 'tools').rglob('*.py')
    return {str(path.relative_to(tree)) for path in paths if path.parent.name != 'benchmarks'}


def measure(what: str, command: list, trees: dict[str, Path], repeats: int) -> dict:
    """Return a row of medians: processor time, time on the clock and memory in each checkout."""
    turns = [{name: cost(tree, command) for name, tree in trees.items()} for _ in range(repeats)]
    return {'what': what} | {
        f'{column}{name}': round(median(turn[name][k] for turn in turns), digits)
        for k, (column, digits) in enumerate(DIGITS.items())
        for name in trees
    }


def cost(tree: Path, command: list) -> list[float]:
    return json.loads(run(tree, ['-c', MEASURE, sys.executable, *command]))


def run(tree: Path, command: list) -> str:
    """Run Python in a checkout, with its mmsmoke; return what it prints."""
    environment = os.environ | dict(PYTHONPATH=str(tree))
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]
        raise UserError(f'{" ".join(map(str, command[-2:]))} in {tree}: {reason}')
    return done.stdout


if __name__ == '__main__':
    main()

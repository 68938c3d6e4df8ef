"""Tell how much a classifier leans on chimneys: exact pairs of scenes, one JSON, one page."""

import argparse
from pathlib import Path

from mmsmoke.utils import read_json
from mmsmoke.utils.cli import (
    add_config_options,
    add_execution_options,
    add_trust_option,
    user_errors_as_text,
)


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a classifier')
    parser.add_argument('checkpoints', nargs='+', help='of several seeds, or trainings (--at)')
    parser.add_argument('--name', help='of the method, for tables (that of the config)')
    parser.add_argument(
        '--at', nargs='+', type=float, metavar='P',
        help='P(chimney | clear) of the training images of each checkpoint',
    )  # fmt: skip
    parser.add_argument('--size', type=int, default=128, help='side of the scenes in pixels')
    parser.add_argument('--compare', nargs='*', default=[], help='JSON files of other methods')
    parser.add_argument('--work-dir', help='folder to write into (work_dirs/cooccurrence/NAME)')
    add_config_options(parser)
    add_execution_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()

    from mmsmoke.experiments.cooccurrence import cooccurrence_benchmark, with_others
    from mmsmoke.experiments.executors import executor_of
    from mmsmoke.reports.cooccurrence_page import write_page

    name = args.name or Path(args.config).stem
    folder = Path(args.work_dir or Path('work_dirs/cooccurrence') / name)
    others = [read_json(file) for file in args.compare]
    own = cooccurrence_benchmark(
        *(args.config, args.checkpoints, name, folder, args.at, args.size),
        *(args.cfg_options, others, args.jobs, executor_of(args)),
    )
    page = folder / f'{name}.html'
    write_page(page, with_others(own, others), f'Co-occurrence: {name}', own)
    print(f'page      {page}')


if __name__ == '__main__':
    main()

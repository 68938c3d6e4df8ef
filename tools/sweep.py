"""Train and test all variants and seeds of a sweep file; run it again to go on."""

import argparse

from mmsmoke.utils.cli import (
    add_config_options,
    add_execution_options,
    add_trust_option,
    user_errors_as_text,
)


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('sweep', help='sweep file, of configs/sweeps/')
    parser.add_argument('--work-dir', help='where the runs go (work_dirs/SWEEP)')
    parser.add_argument('--out', help='JSON file for the results (SWEEP.json in the work dir)')
    parser.add_argument('--scale', help='one of the scales that the file describes')
    parser.add_argument('--seeds', nargs='+', type=int, help='instead of those of the file')
    parser.add_argument(
        '--variants', nargs='+', help='only these, and those whose checkpoints they start from'
    )
    add_config_options(parser, 'changes to every run: key=value …')
    parser.add_argument(
        '--known',
        nargs='+',
        default=(),
        help='result files, as from another machine, whose runs are not done again; may name --out',
    )
    add_execution_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()

    from mmsmoke.experiments.executors import executor_of
    from mmsmoke.experiments.sweep import run_sweep

    run_sweep(
        args.sweep,
        args.work_dir,
        args.out,
        args.seeds,
        args.variants,
        args.cfg_options,
        args.known,
        args.jobs,
        executor_of(args),
        args.scale,
    )


if __name__ == '__main__':
    main()

"""Run all stages of a pipeline config; run it again to go on after an interruption."""

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
    parser.add_argument('config', help='config file, of configs/pipelines/')
    parser.add_argument('--work-dir', help='where everything goes (work_dirs/CONFIG)')
    add_config_options(parser)
    add_execution_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()

    from mmsmoke.experiments.executors import executor_of
    from mmsmoke.experiments.pipeline import run_pipeline

    run_pipeline(args.config, args.work_dir, args.cfg_options, args.jobs, executor_of(args))


if __name__ == '__main__':
    main()

"""Compare ways of refining CAMs, thresholds from a validation split; run it again to go on."""

import argparse

from mmsmoke.utils import UserError
from mmsmoke.utils.cli import (
    add_config_options,
    add_execution_options,
    add_trust_option,
    user_errors_as_text,
)


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('plan', help='plan file, of configs/refinement/')
    parser.add_argument(
        'classifiers', nargs='+', metavar='NAME=CHECKPOINT', help='what to call each classifier'
    )
    parser.add_argument('--work-dir', help='where the label runs go (work_dirs/PLAN)')
    parser.add_argument('--out', help='JSON file for the results (PLAN.json in the work dir)')
    parser.add_argument('--rows', nargs='+', help='only these; the results then hold no others')
    add_config_options(parser, 'changes to every label run: key=value …')
    add_execution_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()
    pairs = [text.partition('=') for text in args.classifiers]
    for text, (name, _, checkpoint) in zip(args.classifiers, pairs, strict=True):
        if not (name and checkpoint):
            raise UserError(f'{text}: say NAME=CHECKPOINT')
    classifiers = {name: checkpoint for name, _, checkpoint in pairs}
    if len(classifiers) < len(pairs):
        raise UserError(f'two classifiers have one name: {" ".join(args.classifiers)}')

    from mmsmoke.experiments.comparison import compare_refiners
    from mmsmoke.experiments.executors import executor_of

    compare_refiners(
        args.plan,
        classifiers,
        args.work_dir,
        args.out,
        args.rows,
        args.cfg_options,
        args.jobs,
        executor_of(args),
    )


if __name__ == '__main__':
    main()

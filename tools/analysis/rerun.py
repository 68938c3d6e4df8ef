"""Do one run of a committed sweep result again; the exit code is 1 if the numbers differ."""

import argparse
import sys

from mmsmoke.utils.cli import add_trust_option, user_errors_as_text
from mmsmoke.utils.environment import environment
from mmsmoke.visualization import markdown_table


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('result', help='JSON file that tools/sweep.py wrote')
    parser.add_argument('--variant', help='which run (the first)')
    parser.add_argument('--seed', type=int, help='which run (the first)')
    parser.add_argument(
        '--tolerance', type=float, default=0.5, help='largest difference that is none (0.5)'
    )
    add_trust_option(parser)
    args = parser.parse_args()

    from mmsmoke.experiments.rerun import rerun

    rows = rerun(args.result, args.variant, args.seed)
    lines = [[row['column'], row['file'], row['now'], f'{row["difference"]:.3f}'] for row in rows]
    print(markdown_table(['column', 'file', 'now', 'difference'], lines))
    worst = max(row['difference'] for row in rows)
    same = worst <= args.tolerance
    verdict = 'the same' if same else 'DIFFERENT'
    print(f'{verdict}: at most {worst:.3f} apart, {args.tolerance} allowed')
    print(f'here: {environment()}')
    sys.exit(0 if same else 1)


if __name__ == '__main__':
    main()

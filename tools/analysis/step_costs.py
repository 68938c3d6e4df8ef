"""Say how many minutes of a processor core each variant of a finished sweep has cost.

A row counts the variant's own training (or what stands in its place) and all that this needs
before: first networks, their maps, heads. Tests are not counted, nor what was lost when a training
was killed. Minutes of a core do not depend much on what else the machine did; those of a GPU are
not seen, nor those of further processes of a training with several.
"""

import argparse
from pathlib import Path

from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('sweep', help='sweep file, of configs/sweeps/')
    parser.add_argument('--work-dir', help='where its runs are (work_dirs/SWEEP)')
    parser.add_argument('--scale', help='one of the scales that the file describes')
    parser.add_argument('--seeds', nargs='+', type=int, help='instead of those of the file')
    parser.add_argument('--variants', nargs='+', help='only these; all by default')
    parser.add_argument('--baseline', required=True, help='variant that others are compared with')
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    args = parser.parse_args()

    from mmsmoke.experiments.cost import cost_rows
    from mmsmoke.experiments.sweep import sweep_steps
    from mmsmoke.utils import write_json
    from mmsmoke.visualization import rows_table

    folder, steps = sweep_steps(args.sweep, args.work_dir, args.variants, args.seeds, args.scale)
    rows = cost_rows(steps, folder, args.baseline)
    print(rows_table(rows))
    if args.out:
        write_json(args.out, rows)


if __name__ == '__main__':
    main()

"""Measure maps that ignore the image: everything, and the mean of the training masks."""

import argparse
from pathlib import Path

from mmsmoke.datasets.table import TABLE
from mmsmoke.utils import sha256_of_file, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.environment import environment
from mmsmoke.visualization import rows_table


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data_root', help='folder with labels.csv')
    parser.add_argument('--splits', nargs='+', default=['val', 'test'])
    parser.add_argument('--threshold-split', default='val', help='a validation split')
    parser.add_argument('--train-split', default='train', help='whose masks are averaged')
    parser.add_argument('--train-root', help='where these lie, if not in DATA_ROOT')
    parser.add_argument('--classes', nargs='+', default=['smoke'], help='columns of labels.csv')
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    args = parser.parse_args()

    from mmsmoke.experiments.baselines import trivial_baselines

    rows = trivial_baselines(
        args.data_root,
        args.splits,
        args.threshold_split,
        args.train_split,
        args.train_root,
        args.classes,
    )
    print(rows_table(rows))
    if args.out:
        labels = sha256_of_file(Path(args.data_root) / TABLE)
        data = dict(data_root=args.data_root, labels_sha256=labels)
        write_json(args.out, dict(**data, environment=environment(), tables=[rows]))


if __name__ == '__main__':
    main()

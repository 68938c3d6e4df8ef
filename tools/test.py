"""Tests a checkpoint of any stage on one or several splits."""

import argparse

from mmengine.config import DictAction
from mmengine.dist import is_main_process

from mmsmoke.apis.evaluate import evaluate_splits
from mmsmoke.apis.launch import load_config
from mmsmoke.utils import write_json
from mmsmoke.utils.cli import add_launcher_options, user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where logs go (work_dirs/CONFIG)')
    parser.add_argument('--out', help='write the result to this JSON file')
    parser.add_argument('--splits', nargs='+', help='splits to test (that of the config)')
    parser.add_argument(
        '--threshold-split',
        help='choose the CAM threshold on this split, usually val, and use it for the others',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='settings to change: key=value …'
    )
    add_launcher_options(parser)
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    splits = args.splits or [cfg.test_dataloader.dataset.split]
    result = evaluate_splits(cfg, args.checkpoint, splits, args.threshold_split)
    if args.out and is_main_process():
        write_json(args.out, result)


if __name__ == '__main__':
    main()

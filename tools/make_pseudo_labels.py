"""Writes pseudo masks with a trained classifier (stage 2): masks/, manifest.json."""

import argparse

from mmengine.config import DictAction

from mmsmoke.apis.launch import build_runner, load_config
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_launcher_options, user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, of configs/pseudo/')
    parser.add_argument('checkpoint', help='checkpoint of the classifier')
    parser.add_argument('--work-dir', help='folder to write into (work_dirs/CONFIG)')
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='start over; without it, a run goes on where an earlier one stopped',
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
    if cfg.test_cfg.get('type') != 'mmsmoke.PseudoLabelLoop':
        raise UserError(f'{args.config} writes no pseudo labels; take a config of configs/pseudo/')
    cfg.load_from, cfg.resume = args.checkpoint, False
    cfg.test_cfg.overwrite = args.overwrite
    build_runner(cfg).test()


if __name__ == '__main__':
    main()

"""Trains a classifier (stage 1) or a segmentor (stage 3)."""

import argparse

from mmengine.config import DictAction

from mmsmoke.apis.launch import build_runner, load_config, resume, use_mixed_precision
from mmsmoke.utils.cli import add_launcher_options, user_errors_as_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go (work_dirs/CONFIG)')
    parser.add_argument(
        '--resume', action='store_true', help='go on from the newest checkpoint of the work dir'
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='settings to change: key=value …'
    )
    add_launcher_options(parser)
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    if args.amp:
        use_mixed_precision(cfg)
    if args.resume:
        resume(cfg)
    build_runner(cfg).train()


if __name__ == '__main__':
    main()

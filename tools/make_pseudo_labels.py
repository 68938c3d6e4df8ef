"""Writes pseudo masks with a trained classifier (stage 2): masks/, manifest.json."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'checkpoint of the classifier'))
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='start over; without it, a run goes on where an earlier one stopped',
    )
    parser.add_argument(
        '--threshold', metavar='JSON', help='what tools/search_threshold.py has found'
    )
    args = parser.parse_args()

    from mmsmoke.engine.launch import (
        alone_in_work_dir,
        load_config,
        require_label_run,
        trained_runner,
    )
    from mmsmoke.experiments.threshold import read_threshold, use_threshold

    cfg = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    require_label_run(cfg)
    cfg.test_cfg.overwrite = args.overwrite
    if args.threshold:
        use_threshold(cfg, read_threshold(args.threshold))
    with alone_in_work_dir(cfg):
        trained_runner(cfg, args.checkpoint).test()


if __name__ == '__main__':
    main()

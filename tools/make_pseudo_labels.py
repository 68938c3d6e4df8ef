"""Writes pseudo masks with a trained classifier or segmentor (stage 2): masks/, manifest.json."""

from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_label_options, run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'its checkpoint'))
    add_label_options(parser)
    parser.add_argument('--split', help='images to label (train)')
    parser.add_argument(
        '--scores',
        type=int,
        metavar='STRIDE',
        help='keep the scores, too, averaged over squares of so many pixels',
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        '--threshold',
        metavar='NUMBER|JSON',
        help='of the masks, or what tools/search_threshold.py has found',
    )
    chosen.add_argument(
        '--threshold-from', metavar='SPLIT', help='choose it on this split first, usually val'
    )
    args = parser.parse_args()

    from mmsmoke.engine.labelling import load_label_run
    from mmsmoke.engine.launch import alone_in_work_dir, trained_runner
    from mmsmoke.experiments.threshold import read_threshold, search_threshold, use_threshold

    found = args.threshold if (args.threshold or '').endswith('.json') else None
    cfg = load_label_run(
        args.config,
        args.work_dir,
        args.cfg_options,
        args.launcher,
        args.refine,
        None if found else _number(args.threshold),
        args.split,
        args.scores,
    )
    cfg.test_cfg.overwrite = args.overwrite
    if found:
        use_threshold(cfg, read_threshold(found))
    if args.threshold_from:
        use_threshold(cfg, search_threshold(cfg, args.checkpoint, args.threshold_from))
    with alone_in_work_dir(cfg):
        trained_runner(cfg, args.checkpoint).test()


def _number(threshold: str | None) -> float | None:
    try:
        return None if threshold is None else float(threshold)
    except ValueError as error:
        raise UserError(f'--threshold: say a number or a .json file, not {threshold!r}') from error


if __name__ == '__main__':
    main()

"""Write pseudo masks with a trained classifier or segmentor (stage 2): masks/, manifest.json."""

from mmsmoke.utils.cli import add_label_options, number_of, run_parser, user_errors_as_text


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
    parser.add_argument(
        '--per-class',
        action='store_true',
        help='with --threshold-from: choose a threshold for each class',
    )
    args = parser.parse_args()
    if args.per_class and not args.threshold_from:
        parser.error('--per-class chooses thresholds on a split: say --threshold-from SPLIT')

    from mmsmoke.engine.labelling import load_label_run
    from mmsmoke.engine.launch import alone_in_work_dir, trained_runner
    from mmsmoke.experiments.threshold import read_threshold, search_threshold, use_threshold
    from mmsmoke.utils.thresholds import PER_CLASS

    found = args.threshold if (args.threshold or '').endswith('.json') else None
    cfg = load_label_run(
        args.config,
        args.work_dir,
        args.cfg_options,
        args.launcher,
        args.refine,
        None if found else number_of(args.threshold),
        args.split,
        args.scores,
    )
    cfg.test_cfg.overwrite = args.overwrite
    if found:
        use_threshold(cfg, read_threshold(found))
    if args.threshold_from:
        criterion = PER_CLASS if args.per_class else 'image_iou'
        use_threshold(cfg, search_threshold(cfg, args.checkpoint, args.threshold_from, criterion))
    with alone_in_work_dir(cfg):
        trained_runner(cfg, args.checkpoint).test()


if __name__ == '__main__':
    main()

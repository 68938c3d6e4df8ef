"""Train a classifier (stage 1) or a segmentor (stage 3)."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__)
    parser.add_argument(
        '--resume', action='store_true', help='go on from the newest checkpoint of the work dir'
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument(
        '--masks',
        metavar='DIR|true',
        help='segmentors: masks to learn from, or the work dir of the label run that wrote them; '
        "true: the data set's true masks, for an upper bound",
    )
    parser.add_argument(
        '--num-masks',
        type=int,
        metavar='N',
        help='true masks that the training may see, by lot: beside those of --masks DIR, or alone '
        'with --masks true; of a classifier beside its labels',
    )
    args = parser.parse_args()

    from mmsmoke.engine.launch import (
        load_config,
        require_sections,
        resume,
        train,
        use_masks,
        use_mixed_precision,
    )

    options = args.cfg_options or {}
    if args.num_masks is not None:
        options = {**options, 'num_masks': args.num_masks}
    cfg = load_config(args.config, args.work_dir, options, args.launcher)
    require_sections(cfg, 'model', 'train_dataloader', 'optim_wrapper')
    if args.masks:
        use_masks(cfg, args.masks)
    if args.amp:
        use_mixed_precision(cfg)
    if args.resume:
        resume(cfg)
    train(cfg)


if __name__ == '__main__':
    main()

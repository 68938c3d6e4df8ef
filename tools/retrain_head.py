"""Retrain the last layer of a classifier so that it leans less on what comes with its class."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'of the classifier'))
    parser.add_argument(
        '--method',
        choices=['afr', 'self', 'lfr', 'plain', 'dfr'],
        default='afr',
        help='which images count how much; dfr is an oracle that looks at context/ (%(default)s)',
    )
    parser.add_argument(
        '--portion',
        nargs=2,
        type=float,
        default=(0.8, 1.0),
        metavar=('FROM', 'TO'),
        help='of the training images, those to learn from (0.8 1)',
    )
    parser.add_argument('--early', help='for self: a checkpoint from early in the training')
    parser.add_argument('--steps', type=int, default=500, help='%(default)s')
    parser.add_argument('--out', help='checkpoint to write (METHOD.pth in the work dir)')
    args = parser.parse_args()

    from pathlib import Path

    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.retraining import retrain_head
    from mmsmoke.utils import write_json

    cfg = load_config(args.config, args.work_dir, args.cfg_options)
    out = Path(args.out or Path(cfg.work_dir) / f'{args.method}.pth')
    result = retrain_head(
        cfg, args.checkpoint, out, args.method, args.portion, args.early, steps=args.steps
    )
    write_json(out.with_suffix('.json'), result)
    before, after = result['before'], result['chosen']
    print(
        f'{out}: accuracy {before["accuracy"]:.1f} -> {after["accuracy"]:.1f}, of the worst class '
        f'{before["worst_class"]:.1f} -> {after["worst_class"]:.1f} (validation images)'
    )


if __name__ == '__main__':
    main()

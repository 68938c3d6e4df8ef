"""Write weights for a second training: images that a classifier calls wrong count more (JTT)."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'of the classifier, from early in its training'))
    parser.add_argument('--factor', type=float, default=20, help='how much more (%(default)s)')
    parser.add_argument('--out', help='CSV to write (weights.csv in the work dir)')
    args = parser.parse_args()

    from pathlib import Path

    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.upweighting import upweight_errors

    cfg = load_config(args.config, args.work_dir, args.cfg_options)
    out = Path(args.out or Path(cfg.work_dir) / 'weights.csv')
    found = upweight_errors(cfg, args.checkpoint, out, args.factor)
    share = 100 * sum(found['wrong'].values()) / found['images']
    print(
        f'{out}: {share:.1f} % of {found["images"]} images are called wrong, '
        f'{found["wrong"]["positive"]} with a class and {found["wrong"]["clear"]} without'
    )


if __name__ == '__main__':
    main()

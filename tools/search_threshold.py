"""Find the threshold of a label run on a validation split, for its option --threshold."""

from pathlib import Path

from mmsmoke.utils import write_json
from mmsmoke.utils.cli import add_label_options, run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'checkpoint of the classifier'))
    add_label_options(parser)
    parser.add_argument('--split', default='val', help='where to choose it (%(default)s)')
    parser.add_argument(
        '--criterion',
        choices=['image_iou', 'per_class', 'otsu'],
        default='image_iou',
        help='image_iou: best against true masks; per_class: a threshold for each class, best for '
        'that class; otsu: by the scores alone (%(default)s)',
    )
    parser.add_argument('--out', type=Path, help='JSON to write (WORK_DIR/threshold.json)')
    args = parser.parse_args()

    from mmsmoke.engine.labelling import load_label_run
    from mmsmoke.experiments.threshold import search_threshold
    from mmsmoke.utils.thresholds import in_words

    cfg = load_label_run(args.config, args.work_dir, args.cfg_options, args.launcher, args.refine)
    cfg.test_cfg.overwrite = args.overwrite
    found = search_threshold(cfg, args.checkpoint, args.split, args.criterion)
    out = args.out or Path(cfg.work_dir) / 'threshold.json'
    write_json(out, found)
    print(f'threshold {in_words(found["threshold"])} by {args.criterion} on {args.split}: {out}')


if __name__ == '__main__':
    main()

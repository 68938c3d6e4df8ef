"""Finds the threshold of a label run on a validation split, and writes a config that has it."""

from pathlib import Path

from mmsmoke.apis.launch import load_config
from mmsmoke.apis.threshold import CRITERIA, search_threshold, write_threshold_config
from mmsmoke.utils import write_json
from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'checkpoint of the classifier'))
    parser.add_argument('--split', default='val', help='where to choose it (%(default)s)')
    parser.add_argument(
        '--criterion',
        choices=CRITERIA,
        default='image_iou',
        help='image_iou: best against true masks; otsu: by the scores alone (%(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, help='config to write (WORK_DIR/threshold.py); numbers go beside it'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='start over; without it, a run goes on where an earlier one stopped',
    )
    args = parser.parse_args()
    cfg = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    cfg.test_cfg.overwrite = args.overwrite
    found = search_threshold(cfg, args.checkpoint, args.split, args.criterion)
    out = args.out or Path(cfg.work_dir) / 'threshold.py'
    if args.cfg_options:  # what was written inherits them, too
        changed = load_config(args.config, options=args.cfg_options)
        found['config'] = str(out.with_name(f'{out.stem}_base.py'))
        out.parent.mkdir(parents=True, exist_ok=True)
        changed.dump(found['config'])
    write_threshold_config(out, found)
    write_json(out.with_suffix('.json'), found)
    print(f'threshold {found["threshold"]} by {args.criterion} on {args.split}: {out}')


if __name__ == '__main__':
    main()

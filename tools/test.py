"""Test a checkpoint of any stage on one or several splits."""

from mmsmoke.utils import write_json
from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'checkpoint file'))
    parser.add_argument('--out', help='write the result to this JSON file')
    parser.add_argument(
        '--details', help='write curves and the numbers of each image to this JSON file'
    )
    parser.add_argument('--splits', nargs='+', help='splits to test (that of the config)')
    parser.add_argument(
        '--threshold-split',
        help='choose the CAM threshold on this split, usually val, and use it for the others',
    )
    parser.add_argument(
        '--per-class', action='store_true', help='choose a threshold for each class there'
    )
    parser.add_argument('--tta', action='store_true', help='test-time augmentation (segmentors)')
    parser.add_argument(
        '--refine',
        nargs='+',
        default=(),
        metavar='REFINER',
        help="what improves a segmentor's scores first, as crf:deeplab or "
        'affinity:CONFIG:CHECKPOINT',
    )
    args = parser.parse_args()

    from mmengine.dist import is_main_process

    from mmsmoke.engine.launch import load_config, require_sections
    from mmsmoke.experiments.evaluate import evaluate_splits

    cfg = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    require_sections(cfg, 'model', 'test_dataloader', 'test_cfg', 'test_evaluator')
    splits = args.splits or [cfg.test_dataloader.dataset.get('split')]
    result = evaluate_splits(
        cfg, args.checkpoint, splits, args.threshold_split, args.tta, args.refine, args.per_class
    )
    details = result.pop('details')
    # the result last: where it is, all is there
    for path, content in ((args.details, details), (args.out, result)):
        if path and is_main_process():
            write_json(path, content)


if __name__ == '__main__':
    main()

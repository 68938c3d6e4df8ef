"""Put that head of a classifier with several first which is the best on the validation images."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'of the classifier'))
    parser.add_argument('--out', help='checkpoint to write (chosen.pth in the work dir)')
    args = parser.parse_args()

    from pathlib import Path

    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.heads import choose_head
    from mmsmoke.utils import write_json

    cfg = load_config(args.config, args.work_dir, args.cfg_options)
    out = Path(args.out or Path(cfg.work_dir) / 'chosen.pth')
    result = choose_head(cfg, args.checkpoint, out)
    write_json(out.with_suffix('.json'), result)
    for index, one in enumerate(result['tried']):
        numbers = ', '.join(f'{name} {value:.1f}' for name, value in one.items())
        chosen = f' <- first now, by {result["by"]}' if index == result['chosen'] else ''
        print(f'head {index}: {numbers}{chosen}')
    print(out)


if __name__ == '__main__':
    main()

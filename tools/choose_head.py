"""Says which head of a classifier with several is the best on the validation images."""

from mmsmoke.utils.cli import run_parser, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = run_parser(__doc__, ('checkpoint', 'of the classifier'))
    parser.add_argument('--out', help='JSON to write')
    args = parser.parse_args()

    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.heads import choose_head
    from mmsmoke.utils import write_json

    cfg = load_config(args.config, args.work_dir, args.cfg_options)
    result = choose_head(cfg, args.checkpoint)
    if args.out:
        write_json(args.out, result)
    for one in result['tried']:
        print(
            f'head {one["active"]}: accuracy {one["accuracy"]:.1f}, of the worst class '
            f'{one["worst_class"]:.1f}'
        )
    print(f'take --cfg-options {result["option"]}')


if __name__ == '__main__':
    main()

"""Draw images of a training set with labels and masks, and what the training makes of them."""

import argparse

from mmsmoke.utils.cli import add_config_options, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file of a training')
    parser.add_argument('out', help='PNG file')
    parser.add_argument('--split', help="another split than the training's")
    parser.add_argument('--images', type=int, default=6, help='how many, evenly spread (6)')
    parser.add_argument('--draws', type=int, default=3, help='of the training pipeline (3)')
    parser.add_argument('--width', type=int, default=192, help='of each picture, in pixels (192)')
    parser.add_argument('--seed', type=int, default=0, help='of the training pipeline (0)')
    add_config_options(parser)
    args = parser.parse_args()

    from mmsmoke.engine.launch import load_config
    from mmsmoke.reports.browse import draw_training

    cfg = load_config(args.config, options=args.cfg_options)
    draw_training(args.out, cfg, args.split, args.images, args.draws, args.width, args.seed)


if __name__ == '__main__':
    main()

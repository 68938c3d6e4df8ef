"""Draw what PlumeTransplant makes of images, and say how much of what it moves is smoke."""

import argparse

from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data_root', help='data set in the standard layout')
    parser.add_argument('scores', help='folder of score maps, as a label run writes them')
    parser.add_argument('out', help='PNG to write')
    parser.add_argument('--split', default='train', help='%(default)s')
    parser.add_argument('--count', type=int, default=8, help='images of each kind (%(default)s)')
    parser.add_argument('--certain', type=float, help='score of a plume that is pasted (threshold)')
    parser.add_argument('--possible', type=float, help='score of a plume that is taken away')
    parser.add_argument('--view', help='column of cameras that do not move')
    args = parser.parse_args()

    from mmsmoke.datasets.transforms import PlumeTransplant
    from mmsmoke.reports.transplants import draw_transplants, share_of_smoke

    transplant = PlumeTransplant(
        args.data_root, args.scores, args.split,
        certain=args.certain, possible=args.possible, view=args.view,
    )  # fmt: skip
    draw_transplants(transplant, args.out, args.count)
    known = share_of_smoke(transplant)
    print(f'{args.out} is written')
    if known is not None:
        print(
            f'{known["smoke"]:.1f} % of the pixels that would be pasted are smoke, '
            f'{known["of all smoke"]:.1f} % of all smoke'
        )


if __name__ == '__main__':
    main()

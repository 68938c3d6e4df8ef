"""Export a segmentor to TorchScript and ONNX, if they compute what PyTorch does."""

import argparse
import json

from mmsmoke.deploy.formats import FORMATS
from mmsmoke.utils import UserError
from mmsmoke.utils.cli import add_config_options, add_trust_option, user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file of a segmentor')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, help='folder to write into')
    parser.add_argument(
        '--formats', nargs='+', choices=FORMATS, default=list(FORMATS), help='which (all)'
    )
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('H', 'W'),
        help='of the pictures in pixels (that of the first test image)',
    )
    parser.add_argument('--batch-size', type=int, help='fix it to that many pictures (any)')
    parser.add_argument(
        '--tolerance', type=float, default=1e-3, help='largest difference of a score (0.001)'
    )
    add_config_options(parser)
    add_trust_option(parser)
    args = parser.parse_args()
    if min(*(args.size or [1]), args.batch_size or 1) < 1 or args.batch_size == 0:
        raise UserError('size and batch-size must be at least 1')

    from mmsmoke.deploy.export import export_segmentor
    from mmsmoke.engine.launch import load_config

    about = export_segmentor(
        load_config(args.config, options=args.cfg_options),
        args.checkpoint,
        args.out,
        list(dict.fromkeys(args.formats)),
        args.size,
        args.batch_size,
        args.tolerance,
    )
    print(json.dumps(about, indent=1))


if __name__ == '__main__':
    main()

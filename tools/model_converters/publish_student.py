"""Cuts the student out of a distiller's checkpoint, for an ordinary CAMClassifier config."""

import argparse

from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text

PREFIX = 'student.'


def publish(checkpoint: str, out: str) -> int:
    """Writes the student's weights and what belongs to them; returns how many tensors."""
    import torch

    from mmsmoke.utils.checkpoints import read_checkpoint

    whole = read_checkpoint(checkpoint)
    weights = {
        name.removeprefix(PREFIX): value
        for name, value in whole.get('state_dict', {}).items()
        if name.startswith(PREFIX)
    }
    if not weights:
        raise UserError(f'{checkpoint} holds no student; is it the checkpoint of a distiller?')
    meta = {key: value for key, value in whole.get('meta', {}).items() if key != 'hook_msgs'}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=weights, meta=meta), temporary)
    return len(weights)


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='checkpoint of a CrossArchDistiller, or of SEAM')
    parser.add_argument('out', help='where the student goes, as in student.pth')
    add_trust_option(parser)
    args = parser.parse_args()
    print(f'{publish(args.checkpoint, args.out)} tensors of the student are in {args.out}')


if __name__ == '__main__':
    main()

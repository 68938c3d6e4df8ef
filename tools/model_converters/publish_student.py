"""Cuts the student out of a distiller's checkpoint, for an ordinary CAMClassifier config."""

import argparse
from pathlib import Path

import torch

from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.cli import user_errors_as_text

PREFIX = 'student.'


def publish(checkpoint: str, out: str) -> int:
    """Writes the student's weights and what belongs to them; returns how many tensors."""
    if not Path(checkpoint).is_file():
        raise UserError(f'checkpoint {checkpoint} not found')
    whole = torch.load(checkpoint, map_location='cpu', weights_only=False)
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
    parser.add_argument('checkpoint', help='checkpoint of a CrossArchDistiller')
    parser.add_argument('out', help='where the student goes, as in student.pth')
    args = parser.parse_args()
    print(f'{publish(args.checkpoint, args.out)} tensors of the student are in {args.out}')


if __name__ == '__main__':
    main()

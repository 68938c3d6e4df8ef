"""Cut out of a checkpoint what is needed to predict.

Of a distiller that is the student, for an ordinary CAMClassifier config. Of a one-stage segmentor
it is all but the teacher and the average over time, for the same config.
"""

import argparse

from mmsmoke.utils import UserError, atomic_path
from mmsmoke.utils.cli import add_trust_option, user_errors_as_text

PREFIX = 'student.'


def publish(checkpoint: str, out: str) -> int:
    """Write the weights that predict, and what belongs to them; return how many tensors."""
    import torch

    from mmsmoke.engine.launch import TRAINING_ONLY
    from mmsmoke.utils.checkpoints import read_checkpoint

    whole = read_checkpoint(checkpoint)
    state = whole.get('state_dict', {})
    weights = {
        name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
    }
    if any('classifier.backbone.' in name or '.student.backbone.' in name for name in state):
        weights = {
            name: value
            for name, value in state.items()
            if TRAINING_ONLY.isdisjoint(name.split('.'))
        }
    if not weights:
        raise UserError(
            f'{checkpoint} holds no student; is it the checkpoint of a distiller or of a one-stage '
            'segmentor?'
        )
    meta = {key: value for key, value in whole.get('meta', {}).items() if key != 'hook_msgs'}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=weights, meta=meta), temporary)
    return len(weights)


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'checkpoint', help='checkpoint of a CrossArchDistiller, SEAM or one-stage segmentor'
    )
    parser.add_argument('out', help='where it goes, as in student.pth')
    add_trust_option(parser)
    args = parser.parse_args()
    print(f'{publish(args.checkpoint, args.out)} tensors are in {args.out}')


if __name__ == '__main__':
    main()

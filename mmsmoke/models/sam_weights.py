"""Load SAM's package (``segment_anything``) and its weights, for all parts that build on them."""

from pathlib import Path
from types import ModuleType

import torch

from mmsmoke.utils import UserError
from mmsmoke.utils.checkpoints import read_pickle

DOWNLOADS = 'https://dl.fbaipublicfiles.com/segment_anything/'
WEIGHTS = dict(
    vit_h='sam_vit_h_4b8939.pth', vit_l='sam_vit_l_0b3195.pth', vit_b='sam_vit_b_01ec64.pth'
)


def import_sam() -> ModuleType:
    try:
        import segment_anything
    except ImportError as error:
        raise UserError("SAM needs a package: pip install 'mmsmoke[sam]'") from error
    return segment_anything


def require_weights(checkpoint: Path, model_type: str) -> None:
    if not checkpoint.is_file():
        known = model_type in WEIGHTS
        download = f'download {DOWNLOADS}{WEIGHTS[model_type]} or ' if known else ''
        raise UserError(
            f"SAM's weights {checkpoint} not found; {download}name the file as checkpoint="
        )


def load_weights(sam: torch.nn.Module, checkpoint: Path, model_type: str) -> None:
    require_weights(checkpoint, model_type)
    weights = read_pickle(checkpoint, 'cpu')
    try:
        sam.load_state_dict(weights)
    except Exception as error:
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise UserError(f'{checkpoint} holds no weights of SAM {model_type}: {reason}') from error

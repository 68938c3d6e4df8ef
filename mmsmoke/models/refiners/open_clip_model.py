import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from mmsmoke.utils import UserError, sha256_of_file
from mmsmoke.utils.checkpoints import WAY_ON, is_trusted, read_pickle, weights_of
from mmsmoke.utils.configs import short_reason

OPENAI_VIT_B_16 = (
    'https://openaipublic.azureedge.net/clip/models/'
    '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt'
)
FOREIGN = {'timm_model_name', 'hf_model_name', 'hf_tokenizer_name'}
PARTS = {'embed_dim', 'vision_cfg', 'text_cfg', 'quick_gelu'}
# what OpenAI's archives hold besides weights, and nobody else's
OPENAI_EXTRAS = ('input_resolution', 'context_length', 'vocab_size')


def load_clip(model: str | dict, checkpoint: str) -> nn.Module:
    """Build an ``open_clip.CLIP`` with a plain ViT, frozen, in float32, with weights from a file.

    Args:
        model: a name of open_clip's, or the content of one of its model configs.
        checkpoint: OpenAI's TorchScript archive, or a state dict (.pt, .pth, .bin, .safetensors)
            as open_clip saves it.
    """
    open_clip = import_open_clip()
    config = model_config(model)
    if not Path(checkpoint).is_file():
        raise UserError(_how_to_get(checkpoint, model))
    # others than CLIP's own towers and tokenizer come from other packages or the network
    foreign = [key for tower in ('text_cfg', 'vision_cfg') for key in FOREIGN & {*config[tower]}]
    clip = None if foreign or set(config) - PARTS else open_clip.CLIP(**config).eval()
    if clip is None or not _is_plain_vit(clip.visual):
        raise UserError(
            f"CLIP-ES reads the attention of CLIP's own ViTs, such as 'ViT-B-16-quickgelu'; "
            f'{model!r} is not one of them'
        )
    clip.requires_grad_(False)
    _load_weights(clip, config, model, checkpoint)
    return clip


def import_open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise UserError(
            f"CLIP-ES needs the package open_clip: pip install 'mmsmoke[clip]' ({error})"
        ) from error
    return open_clip


def model_config(model: str | dict) -> dict:
    if isinstance(model, dict):
        return dict(model)
    open_clip = import_open_clip()
    if model not in open_clip.list_models():
        raise UserError(f'open_clip has no model {model!r}; open_clip.list_models() names all')
    return open_clip.get_model_config(model)


def _how_to_get(checkpoint: str, model: str | dict) -> str:
    name = model if isinstance(model, str) else 'ViT-B-16-quickgelu'
    # open_clip gives OpenAI's weights a QuickGELU whatever the name says; the file would not tell
    tag = 'openai' if name.endswith('-quickgelu') else 'TAG'
    return (
        f"{checkpoint} does not exist. OpenAI's ViT-B/16 is at {OPENAI_VIT_B_16} ; open_clip saves "
        f'any of its models (open_clip.list_pretrained() names them, with their tags): python -c '
        f'"import open_clip, torch; torch.save('
        f"open_clip.create_model('{name}', '{tag}').state_dict(), '{checkpoint}')\""
    )


def _is_plain_vit(visual: nn.Module) -> bool:
    blocks = getattr(getattr(visual, 'transformer', None), 'resblocks', ())
    return (
        len(blocks) > 0
        and all(isinstance(block.attn, nn.MultiheadAttention) for block in blocks)
        and visual.attn_pool is None
        and not visual.final_ln_after_pool
    )


def _load_weights(clip: nn.Module, config: dict, model: str | dict, checkpoint: str) -> None:
    weights = _read(checkpoint)
    if OPENAI_EXTRAS[0] in weights and not config.get('quick_gelu'):
        raise UserError(
            f"{checkpoint} is OpenAI's and was trained with QuickGELU: "
            "take the model whose name ends in '-quickgelu'"
        )
    weights = {key: value for key, value in weights.items() if key not in OPENAI_EXTRAS}
    try:
        clip.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()  # the first line says nothing
        raise UserError(f'{checkpoint} does not hold the weights of {model!r}: {reason}') from error


def _read(checkpoint: str) -> dict[str, Tensor]:
    try:
        if Path(checkpoint).suffix == '.safetensors':
            return load_file(checkpoint)
        if _is_torchscript(checkpoint):
            # such a program runs while it is read
            if sha256_of_file(checkpoint) not in OPENAI_VIT_B_16 and not is_trusted():
                raise UserError(
                    f'{checkpoint} is refused: it is a TorchScript program, and not the one at '
                    f'{OPENAI_VIT_B_16}. {WAY_ON}'
                )
            return torch.jit.load(checkpoint, map_location='cpu').state_dict()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f'{checkpoint} cannot be read as weights: {short_reason(error)}') from error
    weights = weights_of(read_pickle(checkpoint, 'cpu'), checkpoint)
    return {name.removeprefix('module.'): value for name, value in weights.items()}


def _is_torchscript(checkpoint: str) -> bool:
    if not zipfile.is_zipfile(checkpoint):
        return False
    with zipfile.ZipFile(checkpoint) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


@torch.no_grad()
def embed_names(clip: nn.Module, groups: Sequence[Sequence[str]], prompts: Sequence[str]) -> Tensor:
    """Return [len(groups), D] of length one: means over a group's names in all templates."""
    tokenize = import_open_clip().SimpleTokenizer(context_length=clip.context_length)
    means = []
    for names in groups:
        texts = tokenize([prompt.format(name) for name in names for prompt in prompts])
        means.append(clip.encode_text(texts, normalize=True).mean(0))
    return F.normalize(torch.stack(means), dim=-1)


def check_names(
    foreground: Mapping[str, Sequence[str]], background: Sequence[str], prompts: Sequence[str]
) -> None:
    for name, synonyms in foreground.items():
        if isinstance(synonyms, str) or not synonyms:
            raise UserError(f'foreground[{name!r}] must be a list of names, got {synonyms!r}')
    if isinstance(background, str) or not background:
        raise UserError(
            'background must be a list of names: without any, the only class of an image has '
            f'nothing to be told from; got {background!r}'
        )
    if isinstance(prompts, str) or not prompts or any('{}' not in text for text in prompts):
        raise UserError(f'prompts must be a list of texts with {{}} for the name, got {prompts!r}')

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmsmoke.utils import UserError

from .open_clip_model import import_open_clip


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

"""Read DINOv2 from an ONNX file or the file of its authors or timm, with mmpretrain's names."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mmsmoke.utils import UserError

_OF_ONNX = (  # Hugging Face's names -> those of the authors, which are timm's, too
    (r'^embeddings\.cls_token$', 'cls_token'),
    (r'^embeddings\.patch_embeddings\.projection', 'patch_embed.proj'),
    (r'^encoder\.layer\.', 'blocks.'),
    (r'\.attention\.output\.dense', '.attn.proj'),
    (r'\.layer_scale([12])\.lambda1', r'.ls\1.gamma'),
    (r'^layernorm', 'norm'),
)
_OF_MMPRETRAIN = (
    (r'^patch_embed\.proj\.', 'patch_embed.projection.'),
    (r'^norm\.', 'ln1.'),
    (r'^blocks\.', 'layers.'),
    (r'\.norm([12])\.', r'.ln\1.'),
    (r'\.ls1\.gamma', '.attn.gamma1.weight'),
    (r'\.ls2\.gamma', '.ffn.gamma2.weight'),
    (r'\.mlp\.fc1\.', '.ffn.layers.0.0.'),
    (r'\.mlp\.fc2\.', '.ffn.layers.1.'),
)


def to_mmpretrain(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights as mmpretrain's VisionTransformer names them.

    Args:
        weights: with the names of the authors' file, which timm's has, too.
    """
    if 'blocks.0.ls1.gamma' not in weights or 'pos_embed' not in weights:
        raise UserError(
            'these are no weights of DINOv2: blocks.0.ls1.gamma or pos_embed is missing'
        )
    return {
        _renamed(name, _OF_MMPRETRAIN): value
        for name, value in weights.items()
        if name != 'mask_token'  # it stood for hidden patches in the training of DINOv2
    }


def read_onnx(file: Path) -> dict[str, Tensor]:
    """Return the weights of the backbone in an ONNX file, with the names of the authors' file.

    Biases and norms have their names in the file. A matrix has none: it is known by the bias that
    is added to its product, and lies transposed.
    """
    try:
        import onnx
        from onnx.numpy_helper import to_array
    except ImportError as error:
        raise UserError("reading ONNX needs a package: pip install 'mmsmoke[weights]'") from error
    graph = onnx.load(str(file)).graph
    constants = {one.name: one for one in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}

    def values(name: str) -> Tensor:
        return torch.from_numpy(to_array(constants[name]).copy())

    weights = {
        name.removeprefix('backbone.'): values(name)
        for name in constants
        if name.startswith('backbone.')
    }
    for node in graph.node:
        biases = [name for name in node.input if name.startswith('backbone.') and 'bias' in name]
        if node.op_type != 'Add' or not biases:
            continue
        for product in (makers[name] for name in node.input if name in makers):
            for matrix in product.input if product.op_type == 'MatMul' else ():
                if matrix in constants:
                    name = biases[0].removeprefix('backbone.').replace('bias', 'weight')
                    weights[name] = values(matrix).T.contiguous()
    width = weights['embeddings.cls_token'].shape[-1]
    tables = [
        values(name)
        for name, one in constants.items()
        if not name.startswith('backbone.') and list(one.dims)[::2] == [1, width]
    ]
    positions = torch.cat(sorted(tables, key=lambda table: table.shape[1]), 1)
    named = {_renamed(name, _OF_ONNX): value for name, value in _joined(weights).items()}
    return dict(named, pos_embed=positions)


def _joined(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join query, key and value of each block into one matrix and one bias."""
    joined = dict(weights)
    for name in weights:
        if '.attention.attention.query.' in name:
            parts = [name.replace('query', part) for part in ('query', 'key', 'value')]
            target = name.replace('attention.attention.query', 'attn.qkv')
            joined[target] = torch.cat([joined.pop(part) for part in parts])
    return joined


def _renamed(name: str, rules: tuple) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name

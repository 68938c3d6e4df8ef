from torch import nn

from mmsmoke.utils import UserError

SUPPORTED = (
    "mmpretrain's ViTs, ResNets and ConvNeXts, and with features_only=True timm's ViTs and many of "
    'its CNNs'
)


def cam_layers(backbone: nn.Module) -> list[nn.Module]:
    """Return layers whose output a class activation map can weigh, in the order in which they run.

    Of a transformer, the first norm of every block: the only place in the last block where patch
    tokens still reach the logit of a CLS token. Of a CNN, its stages; of one with ``features_only``
    from timm, the stages among its ``out_indices``.

    Example:
        >>> from mmpretrain.models import ResNet
        >>> len(cam_layers(ResNet(depth=18)))
        4
    """
    network = getattr(backbone, 'timm_model', backbone)
    if hasattr(network, 'return_layers'):  # timm's features_only for CNNs
        return [network[name] for name in network.return_layers]
    if hasattr(network, 'res_layers'):  # ResNet of mmpretrain
        return [getattr(network, name) for name in network.res_layers]
    if hasattr(network, 'downsample_layers'):  # ConvNeXt of mmpretrain
        return list(network.stages)
    network = getattr(network, 'model', network)  # timm's features_only for ViTs
    for blocks, norm in (('layers', 'ln1'), ('blocks', 'norm1')):
        norms = [getattr(block, norm, None) for block in getattr(network, blocks, ())]
        if norms and all(isinstance(layer, nn.Module) for layer in norms):
            return norms
    raise UserError(
        f'the layers of {type(network).__name__} are not known; Grad-CAM supports {SUPPORTED}'
    )

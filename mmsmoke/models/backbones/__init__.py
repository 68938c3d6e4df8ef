from .resnet_pcm import ResNetPCM
from .resnet_with_stem import ResNetWithStem
from .vit_with_cls import ViTWithCLS

__all__ = ['ResNetPCM', 'ResNetWithStem', 'ViTWithCLS']

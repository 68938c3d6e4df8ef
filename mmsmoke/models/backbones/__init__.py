from .resnet_pcm import ResNetPCM
from .vit_with_cls import ViTWithCLS

__all__ = ['ResNetPCM', 'ViTWithCLS']

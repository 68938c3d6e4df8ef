from .pixel_correlation import ResNetPCM, TIMMBackbonePCM
from .resnet_with_stem import ResNetWithStem
from .vit_with_cls import ViTWithCLS

__all__ = ['ResNetPCM', 'ResNetWithStem', 'TIMMBackbonePCM', 'ViTWithCLS']

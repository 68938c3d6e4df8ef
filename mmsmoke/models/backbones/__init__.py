from .conformer_with_cls import ConformerWithCLS
from .feature_cache import FeatureCache
from .pixel_correlation import ResNetPCM, TIMMPyramidPCM
from .resnet_with_stem import ResNetWithStem
from .timm_pyramid import TIMMPyramid
from .vit_with_cls import ViTWithCLS

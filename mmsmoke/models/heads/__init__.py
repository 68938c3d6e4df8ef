from .cam_head import CAMHead
from .cls_head import CLSHead
from .pcm_head import PCMHead

__all__ = ['CAMHead', 'CLSHead', 'PCMHead']

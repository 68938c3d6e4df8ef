from .clip_es import CLIPES

__all__ = ['CLIPES']

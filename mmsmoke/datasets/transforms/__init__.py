from .formatting import PackWeakSegInputs
from .loading import LoadContext, LoadImage, LoadMask

__all__ = ['LoadContext', 'LoadImage', 'LoadMask', 'PackWeakSegInputs']

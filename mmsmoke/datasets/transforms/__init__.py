from .crop_with_mask import CropWithMask
from .formatting import PackWeakSegInputs
from .loading import LoadContext, LoadImage, LoadMask
from .transplant import PlumeTransplant

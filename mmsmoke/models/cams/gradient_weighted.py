from mmsmoke.functional import gradient_cam_plus_plus, layer_cam
from mmsmoke.registry import MODELS

from .grad_cam import GradCAM


@MODELS.register_module()
class GradCAMPlusPlus(GradCAM):
    """Read maps out by Grad-CAM++: channels weigh by what their positive gradients add up to.

    See :func:`~mmsmoke.functional.gradient_cam_plus_plus`.

    Args: as :class:`~mmsmoke.models.cams.GradCAM`.
    """

    weigh = staticmethod(gradient_cam_plus_plus)


@MODELS.register_module()
class LayerCAM(GradCAM):
    """Read maps out by LayerCAM: every position of a channel weighs by its own positive gradient.

    So early layers, whose grids are fine, give maps worth fusing. See
    :func:`~mmsmoke.functional.layer_cam`.

    Args: as :class:`~mmsmoke.models.cams.GradCAM`.
    """

    weigh = staticmethod(layer_cam)

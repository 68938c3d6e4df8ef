from mmpretrain.models import ImageClassifier
from torch import Tensor

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

from ..cams import MultiScaleCAM


@MODELS.register_module()
class CAMClassifier(ImageClassifier):
    """Classify as mmpretrain's image classifier, with class activation maps in the predictions.

    Args: as :class:`mmpretrain.models.ImageClassifier`, and
        cam: how maps are read out, one of :mod:`mmsmoke.models.cams`; the head's own linear map
            by default.
        views: arguments of :class:`~mmsmoke.models.cams.MultiScaleCAM`, as in
            ``dict(recipe='irn')``, to read the same maps from several views of an image.

    The backbone's last output must be a map [B, C, h, w]: for mmpretrain's ViTs say
    ``out_type='featmap'``. The head is one of :mod:`mmsmoke.models.heads`.
    """

    def __init__(self, *args, cam: dict | None = None, views: dict | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        cam = cam or dict(type='mmsmoke.LinearCAM')
        if views is not None:
            cam = {'type': 'mmsmoke.MultiScaleCAM', 'cam': cam, **views}
        self.read_out = MODELS.build(cam)

    def read_out_by(self, cam: dict) -> None:
        """Read maps out in another way from now on; several views stay what they are."""
        read_out = MODELS.build(cam)
        if isinstance(self.read_out, MultiScaleCAM):
            self.read_out.cam = read_out
        else:
            self.read_out = read_out

    @property
    def cam_normalize(self) -> str:
        """Say how maps become scores, see :func:`~mmsmoke.functional.normalize_cams`."""
        return self.read_out.normalize

    def predict(
        self, inputs: Tensor, data_samples: list[WeakSegDataSample] | None = None, **kwargs
    ) -> list[WeakSegDataSample]:
        """Return samples with ``pred_scores`` [K] and ``cams`` [K, h, w], in float32.

        Maps are evidence: ReLU-ed, not normalised. Where the read-out cannot give that, because it
        fuses layers or normalises each view, they lie in [0, 1] and ``cam_normalize`` is ``none``.
        A read-out of several layers also gives all of them as ``cam_layers`` [L, K, h, w].
        """
        if data_samples is None:
            data_samples = [WeakSegDataSample() for _ in inputs]
        logits, maps = (found.float() for found in self.read_out(self, inputs))
        self.head._get_predictions(logits, data_samples)
        for sample, layers in zip(data_samples, maps.relu(), strict=True):
            sample.cams, normalize = layers[0], self.cam_normalize
            if len(layers) > 1:
                sample.cam_layers = layers
                sample.cams, normalize = self.read_out.fuse(layers), 'none'
            sample.set_metainfo(dict(cam_normalize=normalize))
        return data_samples

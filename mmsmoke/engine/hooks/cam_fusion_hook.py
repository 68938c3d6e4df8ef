from collections.abc import Sequence

from torch import Tensor

from mmsmoke.functional import FUSIONS, cams_to_scores, fuse_cams
from mmsmoke.registry import HOOKS, MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError
from mmsmoke.utils.models import unwrapped

from .refine_hook import RefineHook


@HOOKS.register_module()
class CAMFusionHook(RefineHook):
    """Makes the scores from the Grad-CAMs of several layers, which raises coverage.

    The classifier's read-out becomes Grad-CAM of these layers; if it looks at several views, it
    still does. In the metrics, what comes before the fusion is the map of the last layer named.
    It must be the first refiner, since it makes the scores anew.

    Args:
        layers: indices as :class:`~mmsmoke.models.cams.GradCAM` takes them; the thesis' default
            is for a ViT of 12 blocks.
        mode: ``mean`` (thesis), ``max`` or ``product``; each layer is min-max normalised before,
            the fused map after. A layer without evidence contributes zeros.
        weights: one positive number a layer, equal by default.
    """

    def __init__(
        self,
        layers: Sequence[int] = (-5, -4, -2, -1),
        mode: str = 'mean',
        weights: Sequence[float] | None = None,
        stage: str = 'fusion',
    ):
        super().__init__(stage)
        if len(set(layers)) < 2:
            raise UserError(f'layers must name two layers or more, got {list(layers)}')
        if mode not in FUSIONS:
            raise UserError(f'mode must be one of {", ".join(FUSIONS)}, got {mode!r}')
        if weights is not None and (len(weights) != len(layers) or min(weights) <= 0):
            raise UserError(
                f'{len(layers)} layers need as many positive weights, got {list(weights)}'
            )
        self.layers, self.mode, self.weights = tuple(layers), mode, weights

    def before_test(self, runner) -> None:
        super().before_test(runner)
        if len(runner.test_loop.stages) > 2:
            earlier = runner.test_loop.stages[1]
            raise UserError(f'{self.stage} makes the scores anew: put it before {earlier}')
        model = unwrapped(runner.model)
        classifier = getattr(model, 'student', model)
        cam = MODELS.build(dict(type='mmsmoke.GradCAM', layers=self.layers))
        if hasattr(classifier.read_out, 'cam'):  # it looks at several views
            classifier.read_out.cam = cam
        else:
            classifier.read_out = cam

    def refine(self, inputs: list[Tensor], samples: list[WeakSegDataSample]) -> list[Tensor]:
        refined = []
        for sample in samples:
            fused = fuse_cams(sample.cam_layers, self.mode, self.weights)
            last = cams_to_scores(sample.cam_layers[-1], sample.ori_shape, sample.present())
            refined.append(cams_to_scores(fused, sample.ori_shape, sample.present(), 'none'))
            sample.seg_scores = last
            sample.note_stage('cams')
        return refined

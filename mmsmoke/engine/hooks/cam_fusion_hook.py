from collections.abc import Sequence

from mmengine.hooks import Hook

from mmsmoke.functional import FUSIONS, cams_to_scores
from mmsmoke.registry import HOOKS
from mmsmoke.utils import UserError, require_one_of
from mmsmoke.utils.models import unwrapped

from ..loops.pseudo_label_loop import require_label_loop


@HOOKS.register_module()
class CAMFusionHook(Hook):
    """Make the scores from the Grad-CAMs of several layers, which raises coverage.

    The classifier reads its maps out by Grad-CAM of these layers; if it looks at several views, it
    still does. In the metrics, what comes before the fusion is the map of the last layer named.
    It must be the first of the hooks that refine, since it makes the scores anew.

    Args:
        layers: indices as :class:`~mmsmoke.models.cams.GradCAM` takes them; the thesis' default
            is for a ViT of 12 blocks.
        mode: ``mean`` (thesis), ``max`` or ``product``; each layer is min-max normalised before,
            the fused map after. A layer without evidence contributes zeros.
        weights: one positive number a layer, equal by default.
        stage: what metrics call the scores after this hook.
    """

    def __init__(
        self,
        layers: Sequence[int] = (-5, -4, -2, -1),
        mode: str = 'mean',
        weights: Sequence[float] | None = None,
        stage: str = 'fusion',
    ):
        if len(set(layers)) < 2:
            raise UserError(f'layers must name two layers or more, got {list(layers)}')
        require_one_of(FUSIONS, mode=mode)
        if weights is not None and (len(weights) != len(layers) or min(weights) <= 0):
            raise UserError(
                f'{len(layers)} layers need as many positive weights, got {list(weights)}'
            )
        self.read_out = dict(
            type='mmsmoke.GradCAM', layers=tuple(layers), mode=mode, weights=weights
        )
        self.stage = stage

    def before_test(self, runner) -> None:
        require_label_loop(self, runner)
        runner.test_loop.add_stage(self.stage, first=True)
        unwrapped(runner.model).read_out_by(self.read_out)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        for sample in outputs:
            if sample.seg_scores.any():
                fused, last = sample.seg_scores, sample.cam_layers[-1]
                sample.seg_scores = cams_to_scores(last, sample.ori_shape, sample.present())
                sample.note_stage('cams')
                sample.seg_scores = fused
            sample.note_stage(self.stage)

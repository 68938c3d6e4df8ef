from collections.abc import Callable

import torch
from mmengine.hooks import Hook

from mmsmoke.registry import HOOKS

from ..loops.pseudo_label_loop import require_label_loop
from ..picture import shown


@HOOKS.register_module()
class RefineHook(Hook):
    """Improve the ``seg_scores`` of a label run by a refiner.

    Refiners act in the order of the config, before the PseudoLabelHook. An image without any
    score, because it has no class or because its maps are empty, is left as it is.

    Args:
        refiner: one of :mod:`mmsmoke.models.refiners`, its config, or any other callable
            ``refine(image, scores, present) -> scores``.
        stage: what metrics call the scores after this hook.
    """

    def __init__(self, refiner: dict | Callable, stage: str):
        from mmsmoke.models.refiners import build_refiner

        self.refiner = build_refiner(refiner)
        self.stage = stage

    def before_test(self, runner) -> None:
        require_label_loop(self, runner)
        runner.test_loop.add_stage(self.stage)
        if hasattr(self.refiner, 'start'):
            self.refiner.start(runner.test_dataloader.dataset.label_classes)

    def after_test(self, runner) -> None:
        if hasattr(self.refiner, 'close'):
            self.refiner.close()

    @torch.no_grad()
    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        from mmsmoke.models.refiners import refine_all

        scores = [sample.seg_scores for sample in outputs]
        images = [
            shown(self.refiner, *pair) if pair[1].seg_scores.any() else None
            for pair in zip(data_batch['inputs'], outputs, strict=True)
        ]
        present = [sample.present().to(sample.seg_scores.device) for sample in outputs]
        refined = refine_all(self.refiner, images, scores, present)
        for sample, new in zip(outputs, refined, strict=True):
            sample.seg_scores = new
            sample.note_stage(self.stage)

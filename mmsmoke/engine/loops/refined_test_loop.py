from collections.abc import Callable, Sequence

import torch
from mmengine.runner import TestLoop
from mmengine.structures import PixelData
from torch import Tensor

from mmsmoke.functional import logits_to_scores, scores_to_mask, strongest
from mmsmoke.registry import LOOPS
from mmsmoke.structures import WeakSegDataSample

from ..picture import shown


@LOOPS.register_module()
class RefinedTestLoop(TestLoop):
    """Test a segmentor whose scores refiners improve before any metric sees them.

    The samples that metrics see have the refined ``seg_scores`` and the mask that they make. A
    segmentor's test knows no labels: to the refiners, all classes are present.

    Args:
        refine: what improves the scores, one after the other; see
            :func:`~mmsmoke.models.build_refiner`.
        threshold: a pixel belongs to its best class if that scores higher; None: if it scores
            higher than what is left for the background.
    """

    def __init__(
        self,
        runner,
        dataloader: dict,
        evaluator,
        refine: Sequence[str | dict | Callable],
        threshold: float | None = None,
    ):
        from mmsmoke.models.refiners import build_refiner

        super().__init__(runner, dataloader, evaluator)
        self.refiners = [build_refiner(one) for one in refine]
        self.threshold = threshold

    def run(self) -> dict:
        for refiner in self.refiners:
            if hasattr(refiner, 'start'):
                refiner.start(self.dataloader.dataset.label_classes)
        try:
            return super().run()
        finally:
            for refiner in self.refiners:
                if hasattr(refiner, 'close'):
                    refiner.close()

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        batch = dict(batch_idx=idx, data_batch=data_batch)
        self.runner.call_hook('before_test_iter', **batch)
        outputs = self.runner.model.test_step(data_batch)
        self.refine(data_batch['inputs'], outputs)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_test_iter', **batch, outputs=outputs)

    def refine(self, inputs: Sequence, samples: list[WeakSegDataSample]) -> None:
        """Give the samples of a batch refined scores, and masks in the place of the model's.

        Args:
            inputs: images, or views of each; then the files are read, since views may be mirrored.
        """
        from mmsmoke.models.refiners import refine_all

        if not isinstance(inputs[0], Tensor):
            inputs = [None] * len(samples)
        scores = [logits_to_scores(sample.seg_logits.data) for sample in samples]  # of all classes
        present = [one.new_ones(len(one)).bool() for one in scores]
        for refiner in self.refiners:
            for sample, one in zip(samples, scores, strict=True):
                sample.seg_scores = one
            images = [shown(refiner, *pair) for pair in zip(inputs, samples, strict=True)]
            scores = refine_all(refiner, images, scores, present)
        for sample, one in zip(samples, scores, strict=True):
            best = self.threshold is None
            mask = strongest(one) if best else scores_to_mask(one, self.threshold).long()
            sample.seg_scores, sample.pred_sem_seg = one, PixelData(data=mask[None])
            del sample.seg_logits  # which are not what the mask is made of

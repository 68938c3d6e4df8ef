from collections.abc import Sequence

from mmengine.hooks import Hook
from torch import Tensor

from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError

from .label_run import require_label_loop


class RefineHook(Hook):
    """Improves the ``seg_scores`` of a label run; the base of all refiners.

    Refiners act in the order of the config, before the PseudoLabelHook. An image without any
    score, because it has no class or because its maps are empty, is left as it is.

    Args:
        stage: what metrics call the scores after this hook.
    """

    def __init__(self, stage: str):
        self.stage = stage

    def before_test(self, runner) -> None:
        require_label_loop(self, runner)
        if self.stage in runner.test_loop.stages:
            raise UserError(f'two refiners are called {self.stage!r}; give one another stage=')
        runner.test_loop.stages.append(self.stage)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        seen = [bool(sample.seg_scores.any()) for sample in outputs]
        samples = [sample for sample, keep in zip(outputs, seen, strict=True) if keep]
        inputs = [image for image, keep in zip(data_batch['inputs'], seen, strict=True) if keep]
        if samples:
            refined = self.refine(inputs, samples)
            for sample, scores in zip(samples, refined, strict=True):
                present = sample.present().to(scores)[:, None, None]
                sample.seg_scores = scores * present
        for sample in outputs:
            sample.note_stage(self.stage)

    def refine(self, inputs: list[Tensor], samples: list[WeakSegDataSample]) -> Sequence[Tensor]:
        """New scores, [K, H, W] in [0, 1] for each sample.

        Args:
            inputs: uint8 [3, h, w] BGR, as the loader gave them.
            samples: with ``seg_scores`` [K, H, W] at the size of the file; (h, w) may differ.
        """
        raise NotImplementedError

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from mmengine.dist import barrier, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import TestLoop
from mmengine.runner.amp import autocast

from mmsmoke.registry import DATASETS, LOOPS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, checkpoint_hashes, plain, sha256_of_file
from mmsmoke.utils.models import unwrapped

from ..journal import Journal
from ..optim_wrapper import has_fast_bfloat16

CAMS, SEGMENTOR = 'cams', 'segmentor'


@LOOPS.register_module()
class PseudoLabelLoop(TestLoop):
    """Test in another order, to write pseudo labels.

    The model predicts, ``after_test_iter`` hooks refine the samples in the order of the config,
    then the evaluator sees what the hooks made of them. Before the hooks each sample gets
    ``seg_scores`` [K, H, W] at the size of its file: its CAMs, normalised, or a segmentor's
    probabilities, without the classes that its label excludes.

    Images are shared out over processes without repetition, and images that an earlier,
    interrupted run finished are not done again; metrics still cover all of them. Hooks work on one
    batch while the model predicts the next.

    Args:
        normalize: see :func:`~mmsmoke.functional.normalize_cams`; ``auto`` does what the
            classifier's read-out asks for.
        overwrite: throw away what the work_dir holds instead of going on with it.
        fp16: mixed precision, which is bfloat16 on a CPU; ``auto`` is True where the device has
            instructions for that, and two to three times as fast for a ViT.
    """

    def __init__(
        self,
        runner,
        dataloader: dict,
        evaluator,
        normalize: str = 'auto',
        overwrite: bool = False,
        fp16: bool | str = False,
    ):
        if fp16 not in (True, False, 'auto'):
            raise UserError(f"fp16 must be True, False or 'auto', got {fp16!r}")
        fp16 = has_fast_bfloat16() if fp16 == 'auto' else fp16
        dataloader = copy.deepcopy(dataloader)
        dataset = DATASETS.build(dataloader['dataset'])
        self.settings = output_settings(runner.cfg, runner.hooks)
        if fp16:
            self.settings['loop']['fp16'] = fp16
        self.journal = Journal(Path(runner.work_dir), self.settings, overwrite)
        names = [dataset.get_data_info(index)['image'] for index in range(len(dataset))]
        pending = [i for i, name in enumerate(names) if name not in self.journal.records]
        if len(pending) < len(names):
            runner.logger.info(f'{len(names) - len(pending)} of {len(names)} images are done')
        dataloader.update(dataset=dataset, sampler=pending[get_rank() :: get_world_size()])
        super().__init__(runner, dataloader, evaluator, fp16)
        model = unwrapped(runner.model)
        self.source = SEGMENTOR if hasattr(model, 'encode_decode') else CAMS
        auto = getattr(model, 'cam_normalize', 'minmax' if self.source == CAMS else 'none')
        self.asked = normalize
        self.normalize = auto if normalize == 'auto' else normalize

    def add_stage(self, stage: str, first: bool = False) -> None:
        """Take note of a hook that refines; hooks call it in the order in which they act.

        Args:
            first: no other may come before it, which it would undo.
        """
        if stage in self.stages:
            raise UserError(f'two refiners are called {stage!r}; give one another stage=')
        if first and len(self.stages) > 1:
            raise UserError(f'{stage} makes the scores anew: put it before {self.stages[1]}')
        self.stages.append(stage)

    def run(self) -> dict:
        self.stages = [self.source]  # refiners add theirs
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        if get_rank() == 0:
            for results in self.journal.restored_results():
                for metric, result in zip(self.evaluator.metrics, results, strict=True):
                    metric.results.append(result)
        with one_thread() as thread:
            finished = thread.submit(int)  # nothing, before the first batch
            for idx, data_batch in enumerate(self.dataloader):
                outputs = self.predict(idx, data_batch)
                finished.result()
                finished = thread.submit(self.finish, idx, data_batch, outputs)
            finished.result()
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        barrier()  # the manifest is written from the journals of all processes
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    @torch.no_grad()
    def predict(self, idx: int, data_batch: dict) -> list[WeakSegDataSample]:
        """Return what the model makes of a batch, with scores."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=self.fp16):
            outputs = self.runner.model.test_step(data_batch)
        for sample in outputs:
            sample.localize(self.asked)
            if self.source == SEGMENTOR:
                del sample.pred_sem_seg  # which took no notice of the label
        return outputs

    @torch.no_grad()
    def finish(self, idx: int, data_batch: dict, outputs: list[WeakSegDataSample]) -> None:
        """Refine, measure and write a batch, while the model predicts the next one."""
        for sample in outputs:
            sample.note_stage(self.source)
        self.runner.call_hook(
            'after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        noted = [metric.results[-len(outputs) :] for metric in self.evaluator.metrics]
        for i, sample in enumerate(outputs):
            self.journal.add(sample.record, [results[i] for results in noted])


def require_label_loop(hook: Hook, runner) -> None:
    """Raise for a hook that acts in label runs only, in a run of another kind."""
    if not isinstance(runner.test_loop, PseudoLabelLoop):
        name = type(hook).__name__
        raise UserError(f"{name} needs test_cfg=dict(type='mmsmoke.PseudoLabelLoop')")


def one_thread() -> ThreadPoolExecutor:
    """Return a thread that has the GPU of this one; by itself it would take the first."""
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else -1  # -1: nothing to set
    return ThreadPoolExecutor(1, initializer=torch.cuda.set_device, initargs=(gpu,))


def output_settings(cfg, hooks: Sequence[Hook]) -> dict:
    """Return everything that decides what the pseudo labels look like.

    Args:
        hooks: of the runner; they know which backend their dense CRFs run on, which may not be
            the one that the config asks for.
    """
    dataset = cfg.test_dataloader['dataset']
    if 'data_root' not in dataset:
        raise UserError('pseudo labels are written for one data set at a time, not for a mixture')
    settings = dict(
        model=cfg.model,
        dataset=dataset,
        loop={
            key: value for key, value in cfg.test_cfg.items() if key not in ('overwrite', 'fp16')
        },
        hooks=cfg.get('custom_hooks', []),
        evaluator=cfg.test_evaluator,
    )
    refiners = checkpoint_hashes(settings['hooks'])
    if refiners:
        settings['refiners'] = refiners
    owners = [getattr(hook, 'refiner', hook) for hook in hooks]
    backends = {one.crf.backend for one in owners if hasattr(one, 'crf')}
    if backends:
        settings['dense_crf'] = sorted(backends)
    return dict(
        **plain(settings),
        checkpoint=sha256_of_file(cfg.load_from) if cfg.get('load_from') else None,
        labels=sha256_of_file(Path(dataset['data_root']) / 'labels.csv'),
    )

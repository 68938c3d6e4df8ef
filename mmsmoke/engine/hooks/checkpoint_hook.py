import re
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop

from mmsmoke.registry import HOOKS
from mmsmoke.utils import atomic_path
from mmsmoke.utils.stored_configs import KEY, config_to_json

MAPS, LABELS = 'cam/image_iou', 'label/worst_class'
"""Name the metrics that choose the best classifier: by maps or, without true masks, by labels."""


class AtomicLocalBackend(LocalBackend):
    """Write under a temporary name, then rename: no reader ever meets half a file."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        with atomic_path(filepath) as temporary:
            temporary.write_bytes(obj)


register_backend('mmsmoke_atomic', AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Write checkpoints as mmengine's CheckpointHook, but a killed run leaves whole ones only.

    It says what is best so far, after each validation and after a resume, and in the end where
    that is. A checkpoint is written before the validation of its epoch; a training that goes on
    from one makes up for that validation, which would otherwise never choose this epoch.
    """

    def __init__(self, *args, **kwargs):
        kwargs.setdefault('backend_args', dict(backend='mmsmoke_atomic'))
        self._told = False
        super().__init__(*args, **kwargs)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Keep the config as data beside mmengine's Python text of it, which readers execute."""
        checkpoint['meta'][KEY] = config_to_json(runner.cfg)

    def before_train(self, runner) -> None:
        super().before_train(runner)
        best = runner.message_hub.runtime_info.get('best_ckpt') or ''
        if self._chooses_by_maps() and Path(best).name.startswith(_beginning(LABELS)):
            self._init_rule(['greater'], [LABELS])
        for key, (score, path) in self._best(runner).items():
            runner.logger.info(f'best so far: {_in_words(key, score, path)}')
        if self.save_best and self._lacks_validation(runner, best):
            runner.val_loop.run()

    def _lacks_validation(self, runner, best: str) -> bool:
        """Tell whether a training goes on behind a validation that it may not have come to.

        Args:
            best: path of the best checkpoint; if it is of this very step, that was validated.
        """
        loop, by_epoch = runner.train_loop, isinstance(runner.train_loop, EpochBasedTrainLoop)
        step, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
        if not step or self.by_epoch != by_epoch or runner.val_loop is None:
            return False
        loop._decide_current_val_interval()
        is_due = step >= loop.val_begin and (step % loop.val_interval == 0 or step == last)
        return is_due and not best.endswith(f'_{self.filename_tmpl.format(step)}')

    def after_train(self, runner) -> None:
        super().after_train(runner)
        for key, best in self._best(runner).items():
            runner.logger.info(f'best checkpoint: {best[1]}, {_in_words(key, *best)}')

    def _best(self, runner) -> dict[str, tuple[float, str]]:
        """Return the best score and its checkpoint by metric, where there is one yet."""
        keys, known = self.key_indicators if self.save_best else [], {}
        for key in keys:
            suffix = '' if len(keys) == 1 else f'_{key}'
            names = f'best_score{suffix}', f'best_ckpt{suffix}'
            score, path = map(runner.message_hub.runtime_info.get, names)
            if path is not None and key != 'auto':  # it has no name before the first validation
                known[key] = float(score), path
        return known

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not self.save_best:
            return
        self._choose_without_masks(runner, metrics or {})
        missing = [key for key in self.key_indicators or [] if key not in (metrics or {})]
        if not missing or 'auto' in missing:
            super()._save_best_checkpoint(runner, metrics)
            now = 'this epoch' if self.by_epoch else 'now'
            for key, best in self._best(runner).items():
                this = f'{now} {metrics[key]:.2f}'
                runner.logger.info(f'best so far: {_in_words(key, *best)}, {this}')
        elif not self._told:
            self._told = True
            message = (
                f'validation gives no {missing[0]}, for want of true masks: the newest checkpoint '
                'will count as the best'
            )
            runner.logger.warning(message)

    def _choose_without_masks(self, runner, metrics: dict) -> None:
        """Keep the best by labels where no true mask says how good the maps are."""
        if not self._chooses_by_maps() or MAPS in metrics or LABELS not in metrics:
            return
        self._init_rule(['greater'], [LABELS])
        runner.logger.warning(
            f'validation gives no {MAPS}, for want of true masks: the best checkpoint is that with '
            f'the highest {LABELS}'
        )

    def _chooses_by_maps(self) -> bool:
        return bool(self.save_best) and self.key_indicators == [MAPS]


def _beginning(key: str) -> str:
    """Return how mmengine begins the names of the best checkpoints by a metric."""
    return f'best_{key}_'.replace('/', '_')


def _in_words(key: str, score: float, path: str) -> str:
    when = re.search(r'_(epoch|iter)_(\d+)\.pth$', path)
    return f'{key} {score:.2f}' + (f' ({when[1]} {when[2]})' if when else '')


def latest_checkpoint(work_dir: str | Path) -> Path | None:
    """Return the newest epoch_N.pth or iter_N.pth.

    It does not trust mmengine's file ``last_checkpoint``, which is written in place.
    """
    return _newest(work_dir, r'(?:epoch|iter)_(\d+)\.pth')


def best_checkpoint(work_dir: str | Path) -> Path | None:
    """Return what ``save_best`` kept, else the newest checkpoint."""
    return _newest(work_dir, r'best_.*_(\d+)\.pth') or latest_checkpoint(work_dir)


def _newest(work_dir: str | Path, pattern: str) -> Path | None:
    numbered = [
        (int(match[1]), path)
        for path in Path(work_dir).glob('*.pth')
        if (match := re.fullmatch(pattern, path.name))
    ]
    return max(numbered)[1] if numbered else None

"""Export a segmentor to files that run without mmseg, checked against its ordinary test."""

import copy
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn

from mmsmoke.engine.launch import require_sections
from mmsmoke.inference.predictor import load_model
from mmsmoke.utils import UserError, sha256_of_file, write_json
from mmsmoke.utils.checkpoints import read_checkpoint
from mmsmoke.utils.environment import checkpoint_record, config_record

from .formats import FORMATS, INPUT, OUTPUT, require_packages, versions
from .parity import compare, decision, find_pictures, lay_out, ordinary_test

ABOUT = 'segmenter.json'
ANY_BATCH = (1, 3)
"""Batches to compare a file with PyTorch on; not the size it was traced with."""
TRACED_BATCH = 2


class SegmentorGraph(nn.Module):
    """Compute a segmentor's scores of a picture, on tensors alone.

    It does to a picture what ``model.test_step`` does, and to the logits what
    :func:`~mmsmoke.functional.logits_to_scores` does. Auxiliary heads are left out.

    Args:
        model: an EncoderDecoder of mmseg with ``test_cfg.mode='whole'``; it is copied.
        size: (H, W) of the pictures.

    Example:
        >>> graph = SegmentorGraph(model, (224, 224))  # doctest: +SKIP
        >>> graph(picture)  # uint8 [B, 3, H, W], RGB -> [B, K, H, W] in [0, 1]  # doctest: +SKIP
    """

    def __init__(self, model: nn.Module, size: Sequence[int]):
        super().__init__()
        self.model = copy.deepcopy(model).requires_grad_(False)
        if self.model.with_auxiliary_head:
            del self.model.auxiliary_head
        if hasattr(self.model, 'forget_training'):
            self.model.forget_training()
        preprocessor = model.data_preprocessor
        self.register_buffer('mean', getattr(preprocessor, 'mean', torch.zeros(3, 1, 1)).clone())
        self.register_buffer('std', getattr(preprocessor, 'std', torch.ones(3, 1, 1)).clone())
        self.flip = not preprocessor._channel_conversion  # pipelines give BGR
        self.size = tuple(size)
        self.padding = _padding(preprocessor.test_cfg or {}, self.size)
        self.pad_value = preprocessor.pad_val
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        height, width = self.size
        image = (image.flip(1) if self.flip else image).float()
        image = (image - self.mean) / self.std
        below, beside = self.padding
        if below or beside:
            image = F.pad(image, (0, beside, 0, below), value=self.pad_value)
        meta = dict(img_shape=self.size, pad_shape=(height + below, width + beside))
        logits = self.model.encode_decode(image, [meta])[..., :height, :width]
        return logits.softmax(1)[:, 1:] if self.model.out_channels > 1 else logits.sigmoid()


def _padding(wanted: Mapping, size: Sequence[int]) -> list[int]:
    """Return the rows below and columns beside a picture that a ``test_cfg`` asks for."""
    divisor = wanted.get('size_divisor') or 1
    padded = wanted.get('size') or [-(-side // divisor) * divisor for side in size]
    return [max(whole - side, 0) for whole, side in zip(padded, size, strict=True)]


def export_segmentor(
    cfg: Config,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    formats: Sequence[str] = tuple(FORMATS),
    size: Sequence[int] | None = None,
    batch_size: int | None = None,
    tolerance: float = 1e-3,
) -> dict:
    """Write a segmentor in several formats, if all of them compute what PyTorch does.

    Args:
        out: folder; files of an earlier export in it are replaced, but only if this one succeeds.
        size: (H, W) of the pictures; by default that of the first test image.
        batch_size: of the files; any by default.
        tolerance: largest difference of a score that is allowed.

    Returns:
        The content of segmenter.json.
    """
    require_packages(formats)
    _require_segmentor(cfg)
    model = load_model(cfg, checkpoint)
    trained_on = read_checkpoint(checkpoint).get('meta', {}).get('dataset_meta') or {}
    batches = ANY_BATCH if batch_size is None else (batch_size,)
    pictures, classes = find_pictures(cfg, sum(batches))
    if not (size or pictures):
        raise UserError('the test images are not there to take the size from; give one with --size')
    size = tuple(size or pictures[0].shape[1:])
    if not pictures:
        warnings.warn('the test images are not there: noise is compared instead', stacklevel=2)
    images = lay_out(pictures, sum(batches), size)
    graph = SegmentorGraph(model, size)
    about = dict(
        **_describe(model, trained_on.get('classes') or classes, batch_size or 'batch', size),
        config=config_record(cfg),
        checkpoint=checkpoint_record(checkpoint),
        parity=dict(
            against="test_step of mmseg's model in PyTorch",
            pictures=f'{len(pictures)} test images' if pictures else 'random noise',
            batches=list(batches),
            tolerance=tolerance,
        ),
        versions=versions(formats),
        files={},
    )
    expected = ordinary_test(model, images)
    example = images.new_zeros(batch_size or TRACED_BATCH, 3, *size)
    Path(out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.export-', dir=out) as folder:
        for name in formats:
            file, write, read, _ = FORMATS[name]
            path = Path(folder) / file
            try:
                write(graph, example, path, batch_size is None)
                measured = compare(read(path), images, batches, expected, about['threshold'])
            except Exception as error:
                raise _failure(name, error, batch_size) from error
            _require_parity(name, measured['largest_difference'], tolerance, batch_size)
            about['files'][name] = dict(
                file=file, sha256=sha256_of_file(path), bytes=path.stat().st_size, **measured
            )
        _move(Path(folder), Path(out), about)
    return about


def _describe(model: nn.Module, classes: Sequence[str], batch: int | str, size: tuple) -> dict:
    """Describe what users of the files have to know."""
    channels = max(model.out_channels - 1, 1)
    return dict(
        input=dict(
            name=INPUT, shape=[batch, 3, *size], dtype='uint8', colours='RGB', range=[0, 255]
        ),
        output=dict(
            name=OUTPUT,
            shape=[batch, channels, *size],
            dtype='float32',
            range=[0, 1],
            classes=_class_names(classes, channels),
            meaning='how probable each class is in each pixel; the background is left out',
        ),
        size=list(size),
        **decision(model),
    )


def _require_segmentor(cfg: Config) -> None:
    require_sections(cfg, 'model', 'default_scope')
    with MODELS.switch_scope_and_registry(cfg.default_scope) as registry:
        kind = registry.get(cfg.model.type)
    if not hasattr(kind, 'encode_decode'):
        raise UserError(
            f'{cfg.filename}: {cfg.model.type} is no segmentor; '
            'what can be exported are models of stage 3, such as those of configs/segmentors/'
        )
    if (cfg.model.get('test_cfg') or {}).get('mode', 'whole') == 'slide':
        raise UserError(
            f"{cfg.filename}: mode='slide' cannot be exported; the network of one window can: "
            '--size H W of the window and --cfg-options model.test_cfg.mode=whole'
        )


def _class_names(names: Sequence[str], count: int) -> list[str]:
    """Return the classes without the background, which is the first of the names or missing."""
    if len(names) in (count, count + 1):
        return list(names[-count:])
    return [f'class {k + 1}' for k in range(count)]


def _require_parity(name: str, difference: float, tolerance: float, batch_size: int | None) -> None:
    if difference <= tolerance:
        return
    raise UserError(
        f"{name}: scores differ from PyTorch's by {difference:.1e}, which is more than "
        f'{tolerance:g}; nothing was written{_hint(batch_size)}'
    )


def _failure(name: str, error: Exception, batch_size: int | None) -> UserError:
    cause = error.__cause__ or error  # exporters wrap it in advice
    reason = ' '.join(f'{type(cause).__name__}: {cause}'.split())
    return UserError(
        f'{name} cannot be written or run: {reason}; nothing was written{_hint(batch_size)}'
    )


def _hint(batch_size: int | None) -> str:
    if batch_size is not None:
        return ''
    return '; some networks can only be exported for one size of batch: --batch-size 1'


def _move(folder: Path, out: Path, about: dict) -> None:
    """Replace an earlier export; segmenter.json goes first and comes last."""
    for file in (ABOUT, *(written.file for written in FORMATS.values())):
        (out / file).unlink(missing_ok=True)
    for path in folder.iterdir():
        os.replace(path, out / path.name)
    write_json(out / ABOUT, about)

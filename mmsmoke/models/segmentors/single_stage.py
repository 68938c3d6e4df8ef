import copy
import logging
from types import SimpleNamespace

import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub, print_log
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn

from mmsmoke.functional import IGNORE
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, resolve_network

from ..cams import LinearCAM
from ..classifiers.cam_classifier import labelled_losses, labels_of
from ..classifiers.distiller import shares_features
from ..classifiers.renormalize import statistics
from ..losses.crop_contrast_loss import follow, same_statistics
from .online_labels import OnlineLabels


@MODELS.register_module()
class SingleStageSegmentor(EncoderDecoder):
    """Train a classifier and a segmentor at once, on one backbone, from image-level labels alone.

    The classifier learns from the labels, as it would alone. Its class maps become masks while it
    learns, and after a warm-up the decoder learns from these. Where a sample brings a mask
    (``gt_sem_seg``), the decoder learns from that instead. Predictions are the decoder's.

    Args:
        classifier: a classifier of ours with class maps: a model as in any config, or
            ``dict(config='cam/….py', …)``, the model of that config with the other keys merged
            into it. A :class:`~mmsmoke.models.CrossArchDistiller` adds its teacher: the backbone
            is then the student's. Its data preprocessor says how pictures are normalised.
        decode_head: one of mmseg's, over the backbone's outputs. Its loss is by default
            :class:`~mmsmoke.models.BalancedCrossEntropyLoss`, whose ``loss_weight`` says how much
            the decoder counts beside the classifier.
        labels: arguments of :class:`OnlineLabels`: thresholds, refiner, scales.
        warm_up: steps before the decoder learns; below 1, the share of all steps of a training.
        ema: if given, labels are made by an average of the network over time, of which so much is
            kept at each step, as 0.99.
        auxiliary: if given, a second head, which classifies by an earlier output of the backbone
            and whose maps make the labels (ToCo, SeCo): ``dict(index=0, in_channels=…)``, where
            index counts the outputs, and further arguments are those of the head, by default a
            :class:`~mmsmoke.models.CAMHead`.
        data_preprocessor: ``size_divisor``, ``size``, ``test_cfg`` and the like of mmseg's
            SegDataPreProcessor.
        train_cfg, test_cfg, init_cfg: as in mmseg's EncoderDecoder.
        pretrained: not used; mmseg's ``init_model`` sets it for any model.
    """

    def __init__(
        self,
        classifier: dict | str,
        decode_head: dict,
        labels: dict | None = None,
        warm_up: int | float = 0,
        ema: float | None = None,
        auxiliary: dict | None = None,
        data_preprocessor: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        pretrained: None = None,
        init_cfg: dict | None = None,
    ):
        if warm_up < 0 or (isinstance(warm_up, float) and warm_up >= 1):
            raise UserError(
                f'warm_up must be a number of steps, or a share from 0 to below 1, got {warm_up}'
            )
        if ema is not None and not 0 < ema < 1:
            raise UserError(f'ema must be between 0 and 1, got {ema}')
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            classifier = MODELS.build(resolve_network(classifier))
        _require_class_maps(classifier)
        super(EncoderDecoder, self).__init__(
            seg_preprocessor(classifier.data_preprocessor, data_preprocessor), init_cfg
        )
        self.classifier = classifier
        self._init_decode_head(
            {'loss_decode': dict(type='mmsmoke.BalancedCrossEntropyLoss'), **decode_head}
        )
        self.train_cfg, self.test_cfg = train_cfg, test_cfg or ConfigDict(mode='whole')
        classes = self.learner.head.num_classes
        if self.num_classes != classes + 1:
            raise UserError(
                f'decode_head.num_classes is {self.num_classes}; the classifier has {classes} '
                f'and the background makes {classes + 1}'
            )
        self.labels = OnlineLabels(**labels or {})
        self.warm_up, self.ema = warm_up, ema
        self.register_buffer('steps', torch.tensor(0))
        self.auxiliary = self.index = self.average = None
        if auxiliary is not None:
            self.index = auxiliary.get('index', 0)
            others = {key: value for key, value in auxiliary.items() if key != 'index'}
            head = dict(type='mmsmoke.CAMHead', num_classes=classes)
            with DefaultScope.overwrite_default_scope('mmpretrain'):
                self.auxiliary = MODELS.build({**head, **others})
        if ema is not None:
            parts = dict(learner=self.learner, auxiliary=self.auxiliary)
            parts = {name: copy.deepcopy(part) for name, part in parts.items() if part is not None}
            parts['learner'].aux = nn.ModuleList()
            self.average = nn.ModuleDict(parts).requires_grad_(False)

    @property
    def learner(self) -> nn.Module:
        """Return the classifier whose backbone it is, without what teaches it."""
        return getattr(self.classifier, 'student', self.classifier)

    def forget_training(self) -> None:
        """Drop what only a training needs, as the teacher; predictions stay as they are."""
        self.classifier, self.auxiliary, self.average = self.learner, None, None

    def train(self, mode: bool = True):
        super().train(mode)
        if self.average is not None:
            self.average.eval()
        return self

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        return self.learner.extract_feat(inputs)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        feats = self.extract_feat(inputs)
        losses = self.classify(inputs, feats, data_samples)
        if not self.begun():
            return losses | self.idle_losses()
        return losses | self.decode(feats, self.make_labels(inputs, feats, data_samples))

    def classify(
        self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list
    ) -> dict[str, Tensor]:
        """Return the losses of the classifier and of the auxiliary head."""
        if not all('gt_score' in sample or 'gt_label' in sample for sample in data_samples):
            raise UserError(
                'images come without labels, from which a single-stage segmentor learns: train it '
                'on a mmsmoke.WeakSegDataset, whose pipeline ends with mmsmoke.PackWeakSegInputs'
            )
        losses = self.classifier.losses_of(inputs, feats, data_samples)
        if 'loss' in losses:  # under which mmengine logs the sum of all
            losses['loss_cls'] = losses.pop('loss')
        if self.auxiliary is not None:
            found = labelled_losses(self.auxiliary, self._earlier(feats), data_samples)
            losses['loss_auxiliary'] = found['loss']
        return losses

    def begun(self) -> bool:
        """Count a step, and tell whether the decoder learns by now; outside of training it does."""
        if not self.training:
            return True
        self.steps += 1
        step = self.steps.item()
        if self.average is not None:
            keep = self.ema if step > 1 else 0.0
            follow(self.average['learner'], self.learner, keep)
            if self.auxiliary is not None:
                follow(self.average['auxiliary'], self.auxiliary, keep)
        return step > self._warm_up_steps(step)

    def _warm_up_steps(self, step: int) -> int:
        total = MessageHub.get_current_instance().get_info('max_iters')
        if isinstance(self.warm_up, int):
            if total is not None and self.warm_up >= total and step == 1:
                print_log(
                    f'the decoder will learn nothing: its warm_up of {self.warm_up} steps is as '
                    f'long as the training, which has {total}; set model.warm_up',
                    logger='current',
                    level=logging.WARNING,
                )
            return self.warm_up
        if total is None:
            raise UserError(
                f'warm_up={self.warm_up} is a share of a training, of which only a Runner knows '
                'how long it is: give a number of steps'
            )
        return round(self.warm_up * total)

    @torch.no_grad()
    def make_labels(self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list) -> Tensor:
        """Return what the decoder shall learn, int64 [B, H, W]: given masks, others from maps."""
        labels = labels_of(data_samples, self.learner.head.num_classes).to(inputs.device)
        inside = torch.zeros_like(inputs[:, 0], dtype=torch.bool)
        height, width = inside.shape[1:]
        for one, sample in zip(inside, data_samples, strict=True):
            left, right, top, bottom = sample.get('padding_size', (0, 0, 0, 0))
            one[top : height - bottom, left : width - right] = True
        masks = self.labels(
            self._maps(inputs, feats), labels, inside, lambda: self._pictures(inputs)
        )
        for mask, sample in zip(masks, data_samples, strict=True):
            if 'gt_sem_seg' in sample:
                mask.copy_(sample.gt_sem_seg.data[0])
        return masks

    def _maps(self, inputs: Tensor, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the class maps [B, K, h, w] that labels are made of."""
        parts = dict(learner=self.learner, auxiliary=self.auxiliary)
        averaged = self.training and self.average is not None
        if averaged:
            parts = self.average
        head, extract = parts['learner'].head, parts['learner'].extract_feat
        if self.auxiliary is not None:
            head = parts['auxiliary']
        source = SimpleNamespace(head=head, extract_feat=lambda view: self._earlier(extract(view)))
        if self.labels.views is not None:
            with same_statistics(parts['learner']):
                return self.labels.views(source, inputs)[1][:, 0]
        feats = source.extract_feat(inputs) if averaged else self._earlier(feats)
        return head.class_maps(feats)[:, : head.num_classes]

    def _earlier(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the outputs of the backbone up to the one that makes the labels."""
        if self.index is None:
            return feats
        place = self.index + (self.index < 0) * len(feats)
        if not 0 <= place < len(feats) - 1:
            raise UserError(
                f'auxiliary.index={self.index} is no earlier output: the backbone gives '
                f'{len(feats)}, of which the classifier has the last; set its out_indices'
            )
        return feats[: place + 1]

    def _pictures(self, inputs: Tensor) -> list:
        """Return uint8 [H, W, 3] RGB of normalised images."""
        preprocessor = self.learner.data_preprocessor
        mean, std = (one.to(inputs) for one in statistics(preprocessor))
        pixels = (inputs * std + mean).round().clamp(0, 255).byte()
        pixels = pixels if preprocessor.to_rgb else pixels.flip(1)
        return list(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())

    def idle_losses(self) -> dict[str, Tensor]:
        """Return zeros: several processes wait for the gradient of every parameter."""
        parameters = [one for one in self.decode_head.parameters() if one.requires_grad]
        zero = 0 * sum(one.sum() for one in parameters)
        several = self.decode_head.loss_decode
        several = several if isinstance(several, nn.ModuleList) else [several]
        return add_prefix({one.loss_name: zero for one in several}, 'decode')

    def decode(self, feats: tuple[Tensor, ...], masks: Tensor) -> dict[str, Tensor]:
        """Return the decoder's losses, and which shares of the masks are foreground and open."""
        samples = [SegDataSample(gt_sem_seg=PixelData(data=mask[None])) for mask in masks]
        losses = self._decode_head_forward_train(feats, samples)
        losses['labels.foreground'] = ((masks > 0) & (masks != IGNORE)).float().mean()
        losses['labels.open'] = (masks == IGNORE).float().mean()
        return losses


def _require_class_maps(classifier: nn.Module) -> None:
    learner, name = getattr(classifier, 'student', classifier), type(classifier).__name__
    if not shares_features(classifier):
        raise UserError(
            f'{name} computes features by itself to have its loss, so that no decoder can share '
            'them; a SingleStageSegmentor takes a CAMClassifier, a CrossArchDistiller or SEAM'
        )
    head = type(learner.head).__name__
    if not hasattr(learner.head, 'class_maps'):
        raise UserError(f'{head} has no class maps to make labels of: take a mmsmoke.CAMHead')
    if type(learner.read_out) is not LinearCAM:
        raise UserError(
            f'labels are made of the class maps of {head} themselves, not by '
            f'{type(learner.read_out).__name__}: leave cam, read_projection and combine out; '
            'several scales are labels.views'
        )


def seg_preprocessor(of_classifier: nn.Module, others: dict | None) -> dict:
    """Return the config of mmseg's data preprocessor that normalises as a classifier's does."""
    others = dict(others or {})
    for name in ('mean', 'std', 'bgr_to_rgb', 'rgb_to_bgr'):
        if name in others:
            raise UserError(
                f'data_preprocessor.{name} is that of the classifier: '
                'set classifier.data_preprocessor'
            )
    mean, std = (one.flatten().tolist() for one in statistics(of_classifier))
    colours = dict(mean=mean, std=std, bgr_to_rgb=of_classifier.to_rgb)
    padding = dict(pad_val=0, seg_pad_val=IGNORE)
    if 'size' not in others:
        padding['size_divisor'] = 1
    return dict(type='mmseg.SegDataPreProcessor', **colours, **{**padding, **others})

import logging
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, require_one_of, resolve_network

from ..cams import CombinedCAM, ProjectionCAM
from ..losses import MapLoss
from .distiller import Distiller, require_classifier
from .renormalize import Renormalize

# what of the student is compared with what of the teacher
ALIGN = dict(
    features=('features', 'features'),
    read_out=('features', 'class_maps'),
    class_maps=('class_maps', 'class_maps'),
    logits=('logits', 'logits'),
)


@MODELS.register_module()
class CrossArchDistiller(Distiller):
    """Train a student classifier beside a teacher of another architecture (arXiv 2507.21959).

    The loss is ``loss_cls + loss_transfer``: the student's own, from image labels, and how far its
    map is from the teacher's, with the transfer loss's ``loss_weight`` as lambda. Predictions are
    the student's alone; ``tools/model_converters/publish_student.py`` cuts it out of a checkpoint.

    Args:
        student, teacher: classifiers of ours. Either a model as in any config, or
            ``dict(config='cam/….py', …)``: the model of that config with the other keys merged
            into it. Either starts from what its ``init_cfg`` says.
        transfer_loss: one of :mod:`mmsmoke.models.losses`.
        align: what is compared, student with teacher:

            - ``read_out``: a projection of the student's features with the teacher's class maps,
              K + 1 channels if the teacher's head has a background (the thesis).
            - ``features``: a projection of the student's features with the teacher's features.
            - ``class_maps``: both heads' class maps, so that with a linear read-out the map that
              is read later is the map that is aligned; a background channel is left out.
            - ``logits``: both heads' logits, the classical distillation.
        projection: for the student's features, a
            :class:`~mmsmoke.models.necks.FeatureProjection`; its channels are filled in if not
            given. For ``read_out`` and ``features`` only.
        teacher_projection: the same for the teacher's features, for ``features`` only. If both
            projections learn, both can become constant; give one of them a ``frozen_random`` kind.
        paradigm: ``teacher_student`` (the teacher is frozen) or ``co_training`` (both learn from
            labels).
        read_projection: predict with the maps of the projection instead of the student's own; it
            shows what was aligned. For ``read_out`` only, and not for publishing.
        combine: predict with the maps of both networks, ``and`` (the minimum), ``or`` (the maximum)
            or ``mean``; see :class:`~mmsmoke.models.cams.CombinedCAM`. Not for publishing.
        detach: through whom the transfer loss sends no gradient, in co-training: ``teacher``,
            ``student`` or ``none``. Projections learn in any case.
    """

    def __init__(
        self,
        student: dict,
        teacher: dict,
        transfer_loss: dict,
        align: str = 'read_out',
        projection: dict | None = None,
        teacher_projection: dict | None = None,
        paradigm: str = 'teacher_student',
        detach: str = 'teacher',
        read_projection: bool = False,
        combine: str | None = None,
        init_cfg: dict | None = None,
    ):
        require_one_of(ALIGN, align=align)
        require_one_of(('teacher_student', 'co_training'), paradigm=paradigm)
        require_one_of(('teacher', 'student', 'none'), detach=detach)
        super().__init__(student, init_cfg)
        self.teacher = MODELS.build(resolve_network(teacher))
        self.frozen_teacher = paradigm == 'teacher_student'
        require_classifier(self.teacher, 'teacher', learns=not self.frozen_teacher)
        self.align, self.detach = align, detach
        self.renormalize = Renormalize(self.data_preprocessor, self.teacher.data_preprocessor)
        self.transfer_loss = MODELS.build(transfer_loss)
        self._build_projections(projection, teacher_projection)
        self._check()
        if self.frozen_teacher:
            if detach != 'teacher':
                raise UserError(f"detach={detach!r} needs paradigm='co_training'")
            self.teacher.requires_grad_(False)
            self.teacher.eval()
        trained = any(isinstance(loss, MapLoss) for loss in getattr(self.student, 'aux', ()))
        if trained and (read_projection or combine is not None):
            raise UserError(
                "MapLoss trains the student's own maps, and read_projection and combine read "
                'others: leave them out, or num_masks'
            )
        if read_projection:
            if align != 'read_out':
                raise UserError(f'align={align!r} has no projection onto class maps to read')
            self.student.read_out = ProjectionCAM(self.projection)
        if combine is not None:
            ours = self.student.read_out
            self.student.read_out = CombinedCAM(ours, self.teacher, combine, self.renormalize)

    def _build_projections(self, projection: dict | None, teacher_projection: dict | None) -> None:
        student_source, teacher_source = ALIGN[self.align]
        if (student_source == 'features') != (projection is not None):
            need = 'needs' if projection is None else 'has no use for'
            raise UserError(f'align={self.align!r} {need} a projection')
        if teacher_projection is not None and teacher_source != 'features':
            raise UserError(f'align={self.align!r} has no use for a teacher_projection')
        width = channels(self.teacher.head, teacher_source)
        self.projection = self.teacher_projection = None
        if teacher_projection is not None:
            ours = dict(in_channels=width, out_channels=width)
            self.teacher_projection = MODELS.build({**ours, **teacher_projection})
            width = teacher_projection.get('out_channels', width)
        if projection is not None:
            if projection.get('out_channels', width) != width:
                raise UserError(
                    f'projection.out_channels is {projection["out_channels"]}, '
                    f"but the teacher's map has {width} channels"
                )
            ours = dict(in_channels=self.student.head.in_channels, out_channels=width)
            self.projection = MODELS.build({**ours, **projection})

    def _check(self) -> None:
        ours, theirs = self.student.head.num_classes, self.teacher.head.num_classes
        if ours != theirs:
            raise UserError(f'the student has num_classes={ours}, the teacher {theirs}')
        with_background = self.align == 'read_out' and self.teacher.head.background
        if getattr(self.transfer_loss, 'channels', 'all') == 'fg' and not with_background:
            raise UserError(
                "channels='fg' leaves out the background channel, which exists only with "
                "align='read_out' and a teacher whose head has background=True"
            )

    def init_weights(self) -> None:
        init_cfg = self.teacher.init_cfg
        checkpoint = init_cfg.get('checkpoint') if isinstance(init_cfg, dict) else None
        if checkpoint and '://' not in checkpoint and not Path(checkpoint).is_file():
            raise UserError(
                f'checkpoint {checkpoint} of the teacher not found: train the teacher first, or '
                'name another by --cfg-options model.teacher.init_cfg.checkpoint=…'
            )
        super().init_weights()
        for role in ('student', 'teacher'):
            network = getattr(self, role)
            name, width = type(network.backbone).__name__, network.head.in_channels
            print_log(f'{role}: {name}, {width} channels wide', logger='current')
        if self.frozen_teacher and not self.teacher.init_cfg:
            print_log(
                'the frozen teacher has no checkpoint: set '
                "teacher.init_cfg=dict(type='Pretrained', checkpoint=…)",
                logger='current',
                level=logging.WARNING,
            )

    def train(self, mode: bool = True):
        super().train(mode)
        if self.frozen_teacher:
            self.teacher.eval()
        return self

    def losses_of(
        self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list[WeakSegDataSample]
    ) -> dict[str, Tensor]:
        losses = self.student.losses_of(inputs, feats, data_samples)
        losses['loss_cls'] = losses.pop('loss')
        with torch.set_grad_enabled(not self.frozen_teacher):
            teacher_inputs = self.renormalize(inputs)
            teacher_feats = self.teacher.extract_feat(teacher_inputs)
            if not self.frozen_teacher:
                theirs = self.teacher.losses_of(teacher_inputs, teacher_feats, data_samples)
                losses['loss_teacher_cls'] = theirs.pop('loss')
                losses |= {f'teacher_{name}': value for name, value in theirs.items()}
            teacher_map = self._source(self.teacher.head, teacher_feats, 'teacher')
        student_map = self._source(self.student.head, feats, 'student')
        if self.projection is not None:
            student_map = self.projection(student_map)
        if self.teacher_projection is not None:
            teacher_map = self.teacher_projection(teacher_map)
        losses['loss_transfer'] = self.transfer_loss(student_map, teacher_map)
        if self.align == 'read_out' and self.teacher.head.background:
            losses['background_share'] = background_share(teacher_map)
        return losses

    def _source(self, head, feats: tuple[Tensor, ...], role: str) -> Tensor:
        kind = ALIGN[self.align][role == 'teacher']
        if kind == 'features':
            source = feats[-1]
        elif kind == 'logits':
            source = head(feats)
        else:
            source = head.class_maps(feats)
            if self.align == 'class_maps':
                source = source[:, : head.num_classes]
        return source.detach() if self.detach == role else source


def channels(head, source: str) -> int:
    """Return how many channels a map of this source has."""
    if source == 'features':
        return head.in_channels
    return head.num_classes + (source == 'class_maps' and head.background)


@torch.no_grad()
def background_share(class_maps: Tensor) -> Tensor:
    """Return how much of the energy of class maps [B, K + 1, h, w] the unsupervised channel has.

    Near 1, a global cosine compares little else.
    """
    energy = class_maps.float().square().sum((0, 2, 3))
    return energy[-1] / energy.sum().clamp(min=1e-12)

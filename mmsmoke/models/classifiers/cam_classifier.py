from collections.abc import Sequence

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import label_to_onehot
from torch import Tensor, nn

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample, clips_of
from mmsmoke.utils import UserError

from ..cams import CombinedCAM, MultiScaleCAM, ProjectionCAM


@MODELS.register_module()
class CAMClassifier(ImageClassifier):
    """Classify as mmpretrain's image classifier, with class activation maps in the predictions.

    Args: as :class:`mmpretrain.models.ImageClassifier`, and
        cam: how maps are read out, one of :mod:`mmsmoke.models.cams`; the head's own linear map
            by default.
        views: arguments of :class:`~mmsmoke.models.cams.MultiScaleCAM`, as in
            ``dict(recipe='irn')``, to read the same maps from several views of an image.
        aux: further losses, such as ``[dict(type='mmsmoke.FalsePositiveLoss')]``. Each is built
            with ``classifier``, and called with it, the inputs [B, 3, H, W], its features and the
            labels [B, K]; it returns losses by name. One that sets ``needs_samples`` is given the
            data samples, too, and one with ``by_clip`` the number of each image's clip, ``clips``
            [B].
        clip_loss: ``dict(type='mmsmoke.ClipLoss')`` in the place of the head's own loss, where
            labels are those of whole clips.

    The backbone's last output must be a map [B, C, h, w]: for mmpretrain's ViTs say
    ``out_type='featmap'``. The head is one of :mod:`mmsmoke.models.heads`. Images whose labels are
    NaN, see ``unlabelled`` of :class:`~mmsmoke.datasets.WeakSegDataset`, are not for the head.
    """

    def __init__(
        self,
        *args,
        cam: dict | None = None,
        views: dict | None = None,
        aux: Sequence[dict] = (),
        clip_loss: dict | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        cam = cam or dict(type='mmsmoke.LinearCAM')
        if views is not None:
            cam = {'type': 'mmsmoke.MultiScaleCAM', 'cam': cam, **views}
        self.read_out = MODELS.build(cam)
        self.aux = nn.ModuleList([MODELS.build({**one, 'classifier': self}) for one in aux])
        self.clip_loss = None if clip_loss is None else MODELS.build(clip_loss)

    def read_out_by(self, cam: dict) -> None:
        """Read maps out in another way from now on; several views stay what they are."""
        if isinstance(self.read_out, CombinedCAM | ProjectionCAM):
            raise UserError(
                'combine and read_projection of a distiller say how its maps are read out: leave '
                'them out to read maps in another way, as fusion does'
            )
        read_out = MODELS.build(cam)
        if isinstance(self.read_out, MultiScaleCAM):
            self.read_out.cam = read_out
        else:
            self.read_out = read_out

    @property
    def cam_normalize(self) -> str:
        """Say how maps become scores, see :func:`~mmsmoke.functional.normalize_cams`."""
        return self.read_out.normalize

    def loss(self, inputs: Tensor, data_samples: list[WeakSegDataSample]) -> dict[str, Tensor]:
        return self.losses_of(inputs, self.extract_feat(inputs), data_samples)

    def losses_of(
        self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list[WeakSegDataSample]
    ) -> dict[str, Tensor]:
        """Return the head's ``loss``, and those of ``aux`` under their own names."""
        losses = self.head_losses(feats, data_samples)
        labels = labels_of(data_samples, self.head.num_classes)
        for aux in self.aux:
            more = [data_samples] if getattr(aux, 'needs_samples', False) else []
            by_clip = getattr(aux, 'by_clip', False)
            clips = dict(clips=clips_of(data_samples).to(inputs.device)) if by_clip else {}
            losses.update(aux(self, inputs, feats, labels, *more, **clips))
        return losses

    def head_losses(self, feats: tuple[Tensor, ...], data_samples: list) -> dict[str, Tensor]:
        """Return the head's losses alone; images without a label are left out."""
        return labelled_losses(self.head, feats, data_samples, self.clip_loss)

    def predict(
        self, inputs: Tensor, data_samples: list[WeakSegDataSample] | None = None, **kwargs
    ) -> list[WeakSegDataSample]:
        """Return samples with ``pred_scores`` [K] and ``cams`` [K, h, w], in float32.

        Maps are evidence: ReLU-ed, not normalised. Where the read-out cannot give that, because it
        fuses layers or normalises each view, they lie in [0, 1] and ``cam_normalize`` is ``none``.
        A read-out of several layers also gives all of them as ``cam_layers`` [L, K, h, w].
        """
        if data_samples is None:
            data_samples = [WeakSegDataSample() for _ in inputs]
        logits, maps = (found.float() for found in self.read_out(self, inputs))
        self.head._get_predictions(logits, data_samples)
        for sample, layers in zip(data_samples, maps.relu(), strict=True):
            sample.cams, normalize = layers[0], self.cam_normalize
            if len(layers) > 1:
                sample.cam_layers = layers
                sample.cams, normalize = self.read_out.fuse(layers), 'none'
            sample.set_metainfo(dict(cam_normalize=normalize))
        return data_samples


def labelled_losses(
    head: nn.Module,
    feats: tuple[Tensor, ...],
    data_samples: list,
    loss: nn.Module | None = None,
) -> dict[str, Tensor]:
    """Return a head's losses over the images that have a label; zero where none has.

    Args:
        loss: called with the head in the place of the head's own.
    """
    unlabelled = labels_of(data_samples, head.num_classes).isnan().any(1)
    if unlabelled.all():
        return dict(loss=0 * head(feats).sum())
    if unlabelled.any():
        feats = tuple(feat[~unlabelled] for feat in feats)
        pairs = zip(data_samples, unlabelled.tolist(), strict=True)
        data_samples = [sample for sample, left_out in pairs if not left_out]
    return head.loss(feats, data_samples) if loss is None else loss(head, feats, data_samples)


def labels_of(data_samples: list, num_classes: int) -> Tensor:
    """Return the labels of samples, [B, K]; of those that come without, NaN."""
    if 'gt_score' in data_samples[0]:
        return torch.stack([sample.gt_score for sample in data_samples]).float()
    indices = [sample.gt_label for sample in data_samples]
    return torch.stack([label_to_onehot(one, num_classes) for one in indices]).float()

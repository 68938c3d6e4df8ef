import math

import torch
from mmengine.config import ConfigDict
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import add_prefix
from torch import Tensor, nn

from mmsmoke.functional import transfer_distance
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, require_one_of, resolve_network

from ..classifiers.cam_classifier import labels_of
from ..classifiers.renormalize import Renormalize
from .single_stage import seg_preprocessor


@MODELS.register_module()
class MutualSegmentor(EncoderDecoder):
    """Train two single-stage segmentors, each decoder on the masks that the other one makes.

    This is the idea of DuPL with a CNN and a ViT as the two. Two networks that agree learn nothing
    from each other, so a discrepancy is added up over both: 1 + the cosine of one's class maps and
    the other's, which are held fixed, over the classes that an image has.

    Args:
        first, second: two :class:`SingleStageSegmentor`, each a model as in any config, or
            ``dict(config='segmentors/single_….py', …)``.
        predict: whose predictions it gives, ``first``, ``second`` or ``mean``, the mean of both
            probabilities.
        discrepancy: weight of that term; 0 for none.
        data_preprocessor: as :class:`SingleStageSegmentor` has it; what is in the two is not used.
        train_cfg, test_cfg, init_cfg: as in mmseg's EncoderDecoder.
        pretrained: not used; mmseg's ``init_model`` sets it for any model.
    """

    def __init__(
        self,
        first: dict | str,
        second: dict | str,
        predict: str = 'mean',
        discrepancy: float = 0.1,
        data_preprocessor: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        pretrained: None = None,
        init_cfg: dict | None = None,
    ):
        require_one_of(('first', 'second', 'mean'), predict=predict)
        first, second = (MODELS.build(resolve_network(one)) for one in (first, second))
        ours, theirs = (one.learner.data_preprocessor for one in (first, second))
        super(EncoderDecoder, self).__init__(seg_preprocessor(ours, data_preprocessor), init_cfg)
        self.first, self.second = first, second
        self.renormalize = Renormalize(ours, theirs)
        self.discrepancy = discrepancy
        self.train_cfg, self.test_cfg = train_cfg, test_cfg or ConfigDict(mode='whole')
        self.chosen = ('first', 'second') if predict == 'mean' else (predict,)
        if first.num_classes != second.num_classes:
            raise UserError(
                f'first has num_classes={first.num_classes}, second {second.num_classes}'
            )
        if predict == 'mean' and 1 in (first.out_channels, second.out_channels):
            raise UserError(
                "predict='mean' needs a channel of the background: leave decode_head.out_channels "
                'out'
            )
        self.align_corners, self.num_classes = first.align_corners, first.num_classes
        self.out_channels = self.decode_head.out_channels

    @property
    def decode_head(self) -> nn.Module:
        """Return the head that says what the predictions are like."""
        return getattr(self, self.chosen[0]).decode_head

    def forget_training(self) -> None:
        """Drop what only a training needs; predictions stay as they are."""
        for name in ('first', 'second'):
            if name in self.chosen:
                getattr(self, name).forget_training()
            else:
                setattr(self, name, None)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        nets, views = (self.first, self.second), (inputs, self.renormalize(inputs))
        feats = [net.extract_feat(view) for net, view in zip(nets, views, strict=True)]
        begun = [net.begun() for net in nets]
        found = [
            net.classify(view, seen, data_samples)
            for net, view, seen in zip(nets, views, feats, strict=True)
        ]
        for one, other in ((0, 1), (1, 0)):
            if begun[one]:
                masks = nets[other].make_labels(views[other], feats[other], data_samples)
                found[one] |= nets[one].decode(feats[one], masks)
            else:
                found[one] |= nets[one].idle_losses()
        losses = add_prefix(found[0], 'first') | add_prefix(found[1], 'second')
        if self.discrepancy:
            losses['loss_discrepancy'] = self.discrepancy * self._likeness(feats, data_samples)
        return losses

    def _likeness(self, feats: list, data_samples: list) -> Tensor:
        heads = self.first.learner.head, self.second.learner.head
        labels = labels_of(data_samples, heads[0].num_classes).to(feats[0][-1].device)
        present = (labels > 0.5)[:, :, None, None]
        first, second = (
            head.class_maps(seen)[:, : head.num_classes].float() * present
            for head, seen in zip(heads, feats, strict=True)
        )
        pairs = (first, second.detach()), (second, first.detach())
        return sum(2 - transfer_distance(*pair, level='global', metric='cosine') for pair in pairs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Return logits [B, C, H, W] of normalised images [B, 3, H, W]."""
        logits = []
        for name in self.chosen:
            view = inputs if name == 'first' else self.renormalize(inputs)
            logits.append(getattr(self, name).encode_decode(view, batch_img_metas))
        if len(logits) == 1:
            return logits[0]
        sure = torch.stack([one.float().log_softmax(1) for one in logits])
        return sure.logsumexp(0) - math.log(len(logits))

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Tensor:
        return self.encode_decode(inputs, [dict(img_shape=inputs.shape[2:])] * len(inputs))

import logging
from pathlib import Path
from types import SimpleNamespace

import torch
from mmengine.logging import print_log
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor, nn

from mmsmoke.functional import IGNORE, resize_maps
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, require_one_of

from ..sam_weights import import_sam, load_weights

BCE = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True)


@MODELS.register_module()
class SAMSegmentor(BaseSegmentor):
    """Fine-tune SAM for one class, with a learned token in the place of a user's prompt (thesis).

    Image encoder and prompt encoder are frozen; the mask decoder and the token learn. What of the
    decoder a single mask does not use, the estimate of its quality and the three other masks, is
    frozen too.

    The network takes squares of one size, 1024 for all published weights. The data preprocessor
    must pad to that size, in training (``size``) and test (``test_cfg.size``). Masks are 4 times
    coarser, then resized.

    Building needs no file; ``init_weights`` reads SAM's weights when a training starts.
    A checkpoint holds the frozen encoders as well, 0.4 GB for ``vit_b`` and 2.6 GB for ``vit_h``,
    so config and checkpoint are all that a prediction needs.

    Args:
        checkpoint: file of SAM's weights. None leaves them random, encoders included.
        model_type: ``vit_b`` (thesis' table), ``vit_l``, ``vit_h`` (thesis' code), or another name
            in ``segment_anything.sam_model_registry``.
        loss_decode: by default the mean binary cross-entropy of the pixels that are not 255.
        threshold: of the probability above which a pixel is smoke; 0.3 is the thesis'.
        train_cfg, test_cfg, pretrained: not used; mmseg's ``init_model`` sets them for any model.
        data_preprocessor, init_cfg: as in mmseg's segmentors.
    """

    align_corners = False
    out_channels = 1

    def __init__(
        self,
        checkpoint: str | None = None,
        model_type: str = 'vit_b',
        data_preprocessor: dict | None = None,
        loss_decode: dict = BCE,
        threshold: float = 0.3,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        pretrained: None = None,
        init_cfg: dict | None = None,
    ):
        models = import_sam().sam_model_registry
        require_one_of(models, model_type=model_type)
        if not 0 < threshold < 1:
            raise UserError(f'threshold must lie between 0 and 1, got {threshold}')
        super().__init__(data_preprocessor, init_cfg)
        self.checkpoint = checkpoint
        self.model_type = model_type
        self.sam = models[model_type]()
        self.prompt = nn.Parameter(torch.zeros(1, 1, self.sam.prompt_encoder.embed_dim))
        self.loss_decode = MODELS.build(loss_decode)
        # where mmseg looks for what it has to know of a segmentor's output
        self.decode_head = SimpleNamespace(num_classes=2, out_channels=1, threshold=threshold)

        decoder = self.sam.mask_decoder
        for part in (
            self.sam.image_encoder,
            self.sam.prompt_encoder,
            decoder.iou_prediction_head,
            decoder.output_hypernetworks_mlps[1:],
        ):
            part.requires_grad_(False)

    def init_weights(self) -> None:
        if self.checkpoint is not None:
            load_weights(self.sam, Path(self.checkpoint), self.model_type)
        elif not self.init_cfg:
            print_log(
                "SAM's frozen encoders have random weights: set model.checkpoint",
                logger='current',
                level=logging.WARNING,
            )
        super().init_weights()

    def train(self, mode: bool = True) -> 'SAMSegmentor':
        super().train(mode)
        self.sam.image_encoder.eval()
        self.sam.prompt_encoder.eval()
        return self

    @torch.no_grad()
    def extract_feat(self, inputs: Tensor) -> Tensor:
        """Return embeddings [B, C, h, w] of normalised images [B, 3, S, S]."""
        side = self.sam.image_encoder.img_size
        if inputs.shape[2:] != (side, side):
            raise UserError(
                f'SAM {self.model_type} takes images of {side} x {side}, got '
                f'{inputs.shape[2]} x {inputs.shape[3]}: resize the longer side to {side} and pad '
                f'by data_preprocessor=dict(size=({side}, {side}), '
                f'test_cfg=dict(size=({side}, {side})), …)'
            )
        return self.sam.image_encoder(inputs)

    def decode(self, embeddings: Tensor) -> Tensor:
        """Return logits [B, 1, 4h, 4w] of embeddings [B, C, h, w]."""
        _, dense = self.sam.prompt_encoder(points=None, boxes=None, masks=None)
        position = self.sam.prompt_encoder.get_dense_pe()
        logits = [
            self.sam.mask_decoder(one, position, self.prompt, dense, multimask_output=False)[0]
            for one in embeddings.split(1)  # its batches are prompts for one image
        ]
        return torch.cat(logits)

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Tensor:
        return self.decode(self.extract_feat(inputs))

    def encode_decode(self, inputs: Tensor, batch_data_samples: list | None = None) -> Tensor:
        """Return logits [B, 1, S, S] of normalised images [B, 3, S, S]."""
        return resize_maps(self._forward(inputs), inputs.shape[2:])

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        logits = self.encode_decode(inputs)
        truth = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        if (truth == IGNORE).all():  # mmseg's loss fails
            return {self.loss_decode.loss_name: 0 * logits.sum()}
        return {self.loss_decode.loss_name: self.loss_decode(logits, truth, ignore_index=IGNORE)}

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        return self.postprocess_result(self.encode_decode(inputs), data_samples)

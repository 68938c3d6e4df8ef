from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from mmsmoke.functional.proposals import MaskProposals
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, sha256_of_file

from ..sam_weights import WEIGHTS, import_sam, load_weights, require_weights


@MODELS.register_module()
class SAMProposals:
    """Mask proposals of SAM's automatic mask generator (package ``segment_anything``).

    The model is built for the first image that is asked for, not before.

    Args:
        checkpoint: file of the weights.
        model_type: ``vit_h`` (thesis), ``vit_l`` or ``vit_b``.
        points_per_side: of the grid of prompts; the library's default is 32.
        pred_iou_thresh: least quality by SAM's own estimate; the library's default is 0.88.
        stability_score_thresh: least IoU of a mask with itself at a shifted cut-off; the
            library's default is 0.95.
        min_mask_region_area: smaller islands and holes are removed; the library's default is 0.
            These four are the thesis' for plumes, of which few proposals are clear-cut.
        stability_score_offset: this and all that follow are the library's own.
        crop_n_layers: how often to look again at crops of the image, 4 ** n in the n-th layer.
        points_per_batch: lower it if memory runs out: a prompt takes 12 bytes a pixel of the image.
        device: a GPU if there is one.

    Example:
        >>> SAMProposals('checkpoints/sam_vit_b_01ec64.pth', 'vit_b').settings['points_per_side']
        8
    """

    def __init__(
        self,
        checkpoint: str,
        model_type: str = 'vit_h',
        points_per_side: int = 8,
        pred_iou_thresh: float = 0.70,
        stability_score_thresh: float = 0.85,
        min_mask_region_area: int = 20,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        points_per_batch: int = 64,
        device: str | None = None,
    ):
        if model_type not in WEIGHTS:
            raise UserError(f'model_type must be one of {", ".join(WEIGHTS)}, got {model_type!r}')
        self.checkpoint = Path(checkpoint)
        self.model_type = model_type
        self.options = dict(
            points_per_side=points_per_side,
            pred_iou_thresh=pred_iou_thresh,
            stability_score_thresh=stability_score_thresh,
            min_mask_region_area=min_mask_region_area,
            stability_score_offset=stability_score_offset,
            box_nms_thresh=box_nms_thresh,
            crop_n_layers=crop_n_layers,
            crop_nms_thresh=crop_nms_thresh,
            crop_overlap_ratio=crop_overlap_ratio,
            crop_n_points_downscale_factor=crop_n_points_downscale_factor,
        )
        self.points_per_batch = points_per_batch
        self.device = device or ('cuda' if torch.cuda.is_available() else 'cpu')

    @cached_property
    def settings(self) -> dict:
        """All that decides what the proposals of an image are.

        ``weights_sha256`` is None while the file of the weights does not exist.
        """
        found = self.checkpoint.is_file()
        return dict(
            self.options,
            generator='segment_anything',
            model_type=self.model_type,
            weights=self.checkpoint.name,
            weights_sha256=sha256_of_file(self.checkpoint) if found else None,
        )

    def __call__(self, image: np.ndarray) -> MaskProposals:
        """Proposals for an image, uint8 [H, W, 3] RGB, none of them empty."""
        found = self._generator.generate(image)
        counts = [mask['segmentation']['counts'] for mask in found if mask['area'] > 0]
        return MaskProposals(image.shape[:2], counts)

    @cached_property
    def _generator(self):
        library = import_sam()

        class Generator(library.SamAutomaticMaskGenerator):
            def _process_crop(self, *args):
                data = super()._process_crop(*args)
                # version 1.0 fails on an image without proposals if there are crop layers
                data['crop_boxes'] = data['crop_boxes'].reshape(-1, 4)
                return data

        require_weights(self.checkpoint, self.model_type)
        model = library.sam_model_registry[self.model_type]()
        load_weights(model, self.checkpoint, self.model_type)
        return Generator(
            model.to(self.device).eval(),
            points_per_batch=self.points_per_batch,
            output_mode='uncompressed_rle',
            **self.options,
        )

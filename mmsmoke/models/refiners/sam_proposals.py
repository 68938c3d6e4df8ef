from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from mmsmoke.functional.proposals import MaskProposals
from mmsmoke.registry import MODELS
from mmsmoke.utils import require_one_of, sha256_of_file

from ..sam_weights import WEIGHTS, import_sam, load_weights, require_weights

OPTIONS = dict(
    points_per_side=8,
    pred_iou_thresh=0.70,
    stability_score_thresh=0.85,
    min_mask_region_area=20,
    stability_score_offset=1.0,
    box_nms_thresh=0.7,
    crop_n_layers=0,
    crop_nms_thresh=0.7,
    crop_overlap_ratio=512 / 1500,
    crop_n_points_downscale_factor=1,
)
"""Defaults of the generator's settings: the first four are the thesis', the others SAM's."""


@MODELS.register_module()
class SAMProposals:
    """Propose masks by SAM's automatic mask generator (package ``segment_anything``).

    The model is built for the first image that is asked for, not before.

    Args:
        checkpoint: file of the weights.
        model_type: ``vit_h`` (thesis), ``vit_l`` or ``vit_b``.
        points_per_batch: lower it if memory runs out: a prompt takes 12 bytes a pixel of the image.
        device: a GPU if there is one.
        points_per_side: of the grid of prompts; the library's default is 32.
        pred_iou_thresh: least quality by SAM's own estimate; the library's default is 0.88.
        stability_score_thresh: least IoU of a mask with itself at a shifted cut-off; the
            library's default is 0.95.
        min_mask_region_area: smaller islands and holes are removed; the library's default is 0.
            These four are the thesis' for plumes, of which few proposals are clear-cut.
        crop_n_layers: how often to look again at crops of the image, 4 ** n in the n-th layer.
        options: the others of ``OPTIONS``, which are the library's own.

    Example:
        >>> SAMProposals('checkpoints/sam_vit_b_01ec64.pth', 'vit_b').settings['points_per_side']
        8
    """

    def __init__(
        self,
        checkpoint: str,
        model_type: str = 'vit_h',
        points_per_batch: int = 64,
        device: str | None = None,
        **options: float,
    ):
        require_one_of(WEIGHTS, model_type=model_type)
        for name in options.keys() - OPTIONS.keys():
            raise TypeError(f'SAMProposals has no argument {name}')
        self.checkpoint = Path(checkpoint)
        self.model_type = model_type
        self.options = OPTIONS | options
        self.points_per_batch = points_per_batch
        self.device = device or ('cuda' if torch.cuda.is_available() else 'cpu')

    @cached_property
    def settings(self) -> dict:
        """Return all that decides what the proposals of an image are.

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
        """Return proposals for an image, uint8 [H, W, 3] RGB, none of them empty."""
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

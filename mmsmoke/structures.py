from multiprocessing.reduction import ForkingPickler

import torch
from mmengine.structures import PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample

from mmsmoke.functional import cams_to_scores, logits_to_scores, threshold_counts
from mmsmoke.utils.clips import require_clip


class WeakSegDataSample(DataSample, SegDataSample):
    """One image on its way through all three stages.

    It is a sample of mmpretrain and a sample of mmseg at once, so classifiers and segmentors of
    both take it as it is. There are K foreground classes; mask value k + 1 stands for class k.

    Fields:
        gt_label: indices of the present classes, as in mmpretrain's multi-label tasks.
        gt_score: the same as a multi-hot vector [K].
        gt_sem_seg: true mask [1, H, W] at the size of the file, 0 background, 255 ignore. Only
            metrics and reports may look at it. In training it is the mask to learn from, and
            ``true_mask`` among the meta information says whether it is a true one, where the data
            set has a number of those (``num_masks``).
        gt_context: co-occurring objects [1, H, W], 1 chimney.
        pred_scores: class probabilities [K] (mmpretrain's ``pred_score`` under our name).
        cams: class activation maps [K, h, w] on the grid of the read-out: evidence, ReLU-ed and
            not normalised, unless ``cam_normalize`` says ``none``.
        cam_normalize: how to make scores of the maps, see
            :func:`~mmsmoke.functional.normalize_cams`; ``none`` if they are scores already.
        cam_layers: the maps of several layers [L, K, h, w], if the read-out looks at several.
        seg_scores: localisation scores [K, H, W] in [0, 1], what refiners improve.
        stage_counts: of the CAMs and after each refiner, pixel counts at all thresholds.
        pred_sem_seg: label map [1, H, W].

    Example:
        >>> sample = WeakSegDataSample().set_gt_score(torch.tensor([1.0]))
        >>> sample.cams = torch.rand(1, 7, 7)
        >>> sample.present().tolist()
        [True]
    """

    @property
    def gt_context(self) -> PixelData:
        return self._gt_context

    @gt_context.setter
    def gt_context(self, value: PixelData) -> None:
        self.set_field(value, '_gt_context', dtype=PixelData)

    @gt_context.deleter
    def gt_context(self) -> None:
        del self._gt_context

    @property
    def pred_scores(self) -> torch.Tensor:
        return self.pred_score

    @property
    def cams(self) -> torch.Tensor:
        return self._cams

    @cams.setter
    def cams(self, value: torch.Tensor) -> None:
        self.set_field(value, '_cams', dtype=torch.Tensor)

    @cams.deleter
    def cams(self) -> None:
        del self._cams

    @property
    def cam_layers(self) -> torch.Tensor:
        return self._cam_layers

    @cam_layers.setter
    def cam_layers(self, value: torch.Tensor) -> None:
        self.set_field(value, '_cam_layers', dtype=torch.Tensor)

    @cam_layers.deleter
    def cam_layers(self) -> None:
        del self._cam_layers

    def localize(self, normalize: str = 'auto') -> None:
        """Make ``seg_scores`` of a classifier's maps or a segmentor's logits.

        Classes that the image does not have by its label are left out; those that the classifier
        does not predict, where there is no label.

        Args:
            normalize: of maps, see :func:`~mmsmoke.functional.normalize_cams`; ``auto`` does what
                the read-out that made them asks for.
        """
        if 'cams' in self:
            if normalize == 'auto':
                normalize = self.get('cam_normalize', 'minmax')
            self.seg_scores = cams_to_scores(self.cams, self.ori_shape, self.present(), normalize)
        else:
            present = self.present() if 'gt_score' in self else None
            self.seg_scores = logits_to_scores(self.seg_logits.data, present)

    def note_stage(self, stage: str) -> None:
        """Remember how good ``seg_scores`` are now, where the true mask is known."""
        if 'gt_sem_seg' in self:
            truth = self.gt_sem_seg.data[0].to(self.seg_scores.device)
            counts = threshold_counts(self.seg_scores, truth).cpu()
            self.stage_counts = {**self.get('stage_counts', {}), stage: counts}

    def mirrored(self) -> 'WeakSegDataSample':
        """Return a sample of the mirror image: the same, but for the mask to learn from."""
        sample = self.new()
        if 'gt_sem_seg' in self:
            sample.gt_sem_seg = PixelData(data=self.gt_sem_seg.data.flip(-1))
        return sample

    def present(self) -> torch.Tensor:
        """Return which classes this image has by its label, bool [K]; by prediction without one."""
        if 'gt_score' in self:
            return self.gt_score > 0.5
        return self.pred_score > 0.5


def clips_of(samples: list[WeakSegDataSample]) -> torch.Tensor:
    """Number the clips of a batch in order of appearance, and return each frame's number, [N]."""
    names = [require_clip(sample.get('columns', {}), sample.get('image')) for sample in samples]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names])


def _reduce(sample: WeakSegDataSample) -> tuple:
    small = {key: value for key, value in vars(sample).items() if isinstance(value, torch.Tensor)}
    others = {key: value for key, value in vars(sample).items() if key not in small}
    return _rebuild, ({key: value.numpy() for key, value in small.items()}, others)


def _rebuild(small: dict, others: dict) -> WeakSegDataSample:
    sample = WeakSegDataSample()
    vars(sample).update(others, **{key: torch.from_numpy(value) for key, value in small.items()})
    return sample


# Between loader workers and the main process torch hands over one file descriptor a tensor. Labels
# and scores go by value instead, as in mmpretrain: their number would exhaust the usual limit of
# 1024. Masks still go through shared memory.
ForkingPickler.register(WeakSegDataSample, _reduce)

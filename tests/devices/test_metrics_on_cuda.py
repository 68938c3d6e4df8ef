"""Metrics of samples that lie on a GPU that is not there."""

import numpy as np
import pytest
import torch
from fake_cuda import devices_of, fake_cuda
from mmengine.structures import PixelData
from PIL import Image

from mmsmoke.evaluation.counterfactual_metric import KINDS
from mmsmoke.registry import METRICS
from mmsmoke.structures import WeakSegDataSample

pytestmark = pytest.mark.usefixtures('no_kernel_of_a_fake_gpu')

CASES = {
    'PseudoLabelMetric': {},
    'PseudoLabelMetric-prediction': dict(present='prediction'),
    'PseudoLabelMetric-mask': dict(source='mask'),
    'RefinementMetric': {},
    'PseudoLabelMetric-own': dict(threshold=dict(smoke=0.3, fire=0.5)),
    'ClassThresholds': {},
    'OtsuThreshold': {},
    'LabelAccuracy': {},
    'CompanionMetric': dict(threshold=0.4),
    'CompanionMetric-mask': dict(source='mask'),
    'CounterfactualMetric': dict(threshold=0.4),
    'CounterfactualMetric-mask': dict(source='mask'),
    'KnownIoUMetric': {},
    'ClipAccuracy': {},
    'FlowMetric': {},
    'FlowMetric-mask': dict(source='mask'),
    'EventMetric': {},
    'EventMetric-cams': dict(source='cams', threshold=0.6, high=0.2),
    'EventMetric-mask': dict(source='mask', high=0.3),
}
SIZE = 12


def samples(place, of_truth, folder):
    """Four scenes of every kind, each with all that a metric may look at.

    Args:
        folder: with the pictures.
        place: brings to its device what a network found.
        of_truth: likewise masks, which a classifier leaves on the CPU, a segmentor does not.
    """
    dice = torch.Generator().manual_seed(0)
    made = []
    for number in range(4 * len(KINDS)):
        scene = str(number // len(KINDS))
        columns = dict(scene=scene, kind=KINDS[number % len(KINDS)], clip=scene, time=str(number))
        sample = WeakSegDataSample(
            metainfo=dict(
                image=f'{number}.png', ori_shape=(SIZE, SIZE), columns=columns, row=number,
                img_path=str(folder / f'{number}.png'),
            )
        )  # fmt: skip
        truth = torch.randint(0, 3, (1, SIZE, SIZE), generator=dice)
        truth[0, 0] = 255
        sample.gt_sem_seg = PixelData(data=of_truth(truth))
        sample.gt_context = PixelData(data=of_truth(truth.flip(-1) == 1).int())
        sample.set_gt_score(place(torch.tensor([1.0, float(number % 2)])))
        sample.set_pred_score(place(torch.rand(2, generator=dice)))
        sample.cams = place(torch.rand(2, 4, 4, generator=dice))
        found = torch.randint(0, 3, (1, SIZE, SIZE), generator=dice).byte()
        sample.pred_sem_seg = PixelData(data=place(found))
        sample.localize()
        sample.note_stage('cams')
        made.append(sample)
    return made


def measure(name, place, of_truth, folder):
    metric = METRICS.build(dict(CASES[name], type=f'mmsmoke.{name.split("-")[0]}'))
    metric.dataset_meta = dict(classes=['background', 'smoke', 'fire'])
    scores = 'seg_scores' if name.startswith('Pseudo') else ''  # made of the maps anew
    found = [
        {key: value for key, value in sample.to_dict().items() if key != scores}
        for sample in samples(place, of_truth, folder)
    ]
    metric.process({}, found)
    assert devices_of(metric.results) <= {'cpu'}, 'what is kept would fill the GPU'
    return metric.evaluate(len(found))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Folder with a picture of each sample."""
    folder, dice = tmp_path_factory.mktemp('pictures'), np.random.default_rng(0)
    for number in range(4 * len(KINDS)):
        picture = dice.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(picture).save(folder / f'{number}.png')
    return folder


@pytest.mark.parametrize('of_truth', [torch.Tensor.cpu, torch.Tensor.cuda], ids=['cpu', 'cuda'])
@pytest.mark.parametrize('name', CASES)
def test_numbers_are_those_of_a_cpu(name, of_truth, folder):
    expected = measure(name, torch.Tensor.cpu, torch.Tensor.cpu, folder)
    assert expected
    with fake_cuda():
        found = measure(name, torch.Tensor.cuda, of_truth, folder)
        assert found == pytest.approx(expected, rel=1e-6)

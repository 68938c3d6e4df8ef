import torch

from mmsmoke.evaluation import KnownIoUMetric


def evaluate(samples):
    metric = KnownIoUMetric(iou_metrics=['mIoU'], prefix='seg')
    metric.dataset_meta = dict(classes=('background', 'smoke'))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def sample(predicted, truth=None):
    result = dict(img_path='a.png', pred_sem_seg=dict(data=torch.tensor([predicted])))
    if truth is not None:
        result['gt_sem_seg'] = dict(data=torch.tensor([truth]))
    return result


def test_images_of_unknown_truth_change_nothing():
    known = sample([[0, 1, 1, 0]], [[0, 1, 0, 0]])
    unknown = sample([[1, 1, 1, 1]])
    assert evaluate([known]) == evaluate([unknown, known, unknown])
    assert abs(evaluate([known])['seg/mIoU'] - 100 * (2 / 3 + 1 / 2) / 2) < 0.01


def test_without_any_truth_there_is_no_number():
    assert evaluate([sample([[0, 1]])]) == {}


def test_clear_images_alone_give_no_number():
    """The mean over the classes would be 100."""
    assert evaluate([sample([[0, 0]], [[0, 0]]), sample([[1, 1]])]) == {}
    assert evaluate([sample([[0, 1]], [[0, 255]])]) == {}

import torch

from mmsmoke.evaluation import KnownIoUMetric


def evaluate(samples):
    metric = KnownIoUMetric(iou_metrics=['mIoU'], prefix='seg')
    metric.dataset_meta = dict(classes=('background', 'smoke'))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def sample(predicted, truth=None, name='a.png'):
    result = dict(img_path=name, pred_sem_seg=dict(data=torch.tensor([predicted])))
    if truth is not None:
        result['gt_sem_seg'] = dict(data=torch.tensor([truth]))
    return result


def test_images_of_unknown_truth_change_nothing():
    known = sample([[0, 1, 1, 0]], [[0, 1, 0, 0]])
    unknown = sample([[1, 1, 1, 1]], name='b.png')
    assert evaluate([known]) == evaluate([unknown, known, unknown])
    assert abs(evaluate([known])['seg/mIoU'] - 100 * (2 / 3 + 1 / 2) / 2) < 0.01


def test_an_image_that_two_processes_saw_counts_once():
    first, second = sample([[0, 1]], [[0, 1]]), sample([[1, 1]], [[0, 1]], 'b.png')
    assert evaluate([first, second, first]) == evaluate([first, second])


def test_without_any_truth_there_is_no_number():
    assert evaluate([sample([[0, 1]])]) == {}


def test_clear_images_alone_give_no_number():
    """The mean over the classes would be 100."""
    assert evaluate([sample([[0, 0]], [[0, 0]]), sample([[1, 1]], name='b.png')]) == {}
    assert evaluate([sample([[0, 1]], [[0, 255]])]) == {}

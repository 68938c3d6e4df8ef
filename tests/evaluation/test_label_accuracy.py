import pytest
import torch

from mmsmoke.evaluation import LabelAccuracy


def evaluate(predicted, truth, classes=('smoke',), names=None):
    names = names or [f'{i}.png' for i in range(len(predicted))]
    metric = LabelAccuracy()
    metric.dataset_meta = dict(classes=('background', *classes))
    samples = [
        dict(image=name, pred_score=torch.tensor(p), gt_score=torch.tensor(t))
        for name, p, t in zip(names, predicted, truth, strict=True)
    ]
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_share_of_right_images_in_percent():
    result = evaluate([[0.9], [0.4], [0.51], [0.2]], [[1.0], [0.0], [0.0], [1.0]])
    assert result == {'label/accuracy': 50, 'label/worst_class': 50}


def test_one_half_is_no_smoke():
    assert evaluate([[0.5]], [[0.0]])['label/accuracy'] == 100


def test_classes_are_counted_each_on_its_own():
    predicted = [[0.9, 0.1, 0.8], [0.9, 0.1, 0.1]]
    truth = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    result = evaluate(predicted, truth, ('smoke', 'steam', 'fog'))
    assert result == {
        'label/accuracy': 50,
        'label/accuracy_smoke': 50,
        'label/accuracy_steam': 100,
        'label/accuracy_fog': 0,
        'label/worst_class': 0,
    }


def test_the_worst_class_is_that_of_fewer_right_answers():
    predicted = [[0.9], [0.9], [0.9], [0.9], [0.1]]
    result = evaluate(predicted, [[1.0], [1.0], [1.0], [0.0], [0.0]])
    assert result == {'label/accuracy': 80, 'label/worst_class': 50}


def test_repeated_image_counts_once():
    names = ['a.png', 'b.png', 'a.png', 'a.png']
    result = evaluate([[0.9], [0.9], [0.9], [0.9]], [[1.0], [0.0], [1.0], [1.0]], names=names)
    assert result['label/accuracy'] == pytest.approx(50)

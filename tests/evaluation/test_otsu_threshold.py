import torch

from mmsmoke.evaluation import OtsuThreshold


def test_images_without_a_class_by_label_or_prediction_do_not_count():
    scores = torch.tensor([0.1] * 50 + [0.9] * 50).view(1, 10, 10)
    empty = torch.zeros(1, 10, 10)

    def found(*samples):
        metric = OtsuThreshold()
        metric.process({}, [dict(one, image=f'{k}.png') for k, one in enumerate(samples)])
        return metric.evaluate(len(samples))

    alone = found(dict(seg_scores=scores, gt_score=torch.ones(1)))
    assert 0.1 <= alone['otsu/threshold'] < 0.9
    clear = dict(seg_scores=empty + 0.5, gt_score=torch.zeros(1))
    unlikely = dict(seg_scores=empty + 0.5, pred_score=torch.tensor([0.2]))
    for other in (clear, unlikely):
        assert found(dict(seg_scores=scores, gt_score=torch.ones(1)), other) == alone
        assert found(other) == {}

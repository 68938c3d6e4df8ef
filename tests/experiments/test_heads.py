import pytest
import torch
from label_runs import PIPELINE, tiny_model
from mmengine.dataset import pseudo_collate
from tiny_trained import tiny_distiller, trained

from mmsmoke.experiments.heads import choose_head, quality
from mmsmoke.functional import image_mean_iou, threshold_counts
from mmsmoke.inference.predictor import build_test_data, load_model
from mmsmoke.utils import UserError


def several_heads():
    model = tiny_model(1)
    model['head'].update(type='mmsmoke.DiversifiedHead', heads=3)
    return model


@pytest.fixture
def config_and_checkpoint(tiny_dataset, tmp_path):
    """Function that makes a classifier whose first head always sees smoke, its last one never."""

    def make(model, prefix='', **data):
        root = tiny_dataset(splits=dict(train=2, val=6, test=2), **data)
        cfg, path = trained(tmp_path, model)
        cfg.test_dataloader.dataset.update(data_root=str(root), pipeline=PIPELINE)
        cfg.val_dataloader = dict(dataset=dict(split='val'))
        content = torch.load(path, weights_only=False)
        weight = content['state_dict'].get(f'{prefix}head.classifier.weight')
        weight[0], weight[2] = 10.0, -10.0
        torch.save(content, path)
        return cfg, path, weight

    return make


@pytest.mark.parametrize('prefix', ['', 'student.'])
@pytest.mark.parametrize('by', ['cam_iou', 'worst_class'])
def test_the_best_head_comes_first(
    config_and_checkpoint, prefix, by, mmpretrain_scope, monkeypatch, tmp_path
):
    model = dict(tiny_distiller(), student=several_heads()) if prefix else several_heads()
    cfg, path, weights = config_and_checkpoint(model, prefix)
    found = [dict(worst_class=100.0), dict(worst_class=90.0), dict(worst_class=0.0)]
    if by == 'cam_iou':  # heads that are always right may look at something else
        for one, iou in zip(found, (8.0, 42.0, 20.0), strict=True):
            one['cam_iou'] = iou
    best = 1 if by == 'cam_iou' else 0

    def of_the_first_head(model, dataset):
        assert len(dataset) == 6
        weight = getattr(model, 'student', model).head.classifier.weight[0]
        return found[[torch.equal(weight, one) for one in weights].index(True)]

    monkeypatch.setattr('mmsmoke.experiments.heads.quality', of_the_first_head)
    result = choose_head(cfg, path, tmp_path / 'chosen.pth')
    assert (result['by'], result['chosen'], result['tried']) == (by, best, found)
    chosen = load_model(cfg, result['checkpoint']['path'])
    weight = getattr(chosen, 'student', chosen).head.classifier.weight
    torch.testing.assert_close(weight, weights[[best, *(k for k in range(3) if k != best)]])


def test_quality_is_that_of_the_first_head_on_these_images(config_and_checkpoint, mmpretrain_scope):
    cfg, path, _ = config_and_checkpoint(several_heads())
    model, dataset = load_model(cfg, path), build_test_data(cfg, split='val')
    found = quality(model, dataset)
    assert (found['accuracy'], found['worst_class']) == (50.0, 0.0)
    counts = []
    for item in dataset:
        (sample,) = model.test_step(pseudo_collate([item]))
        sample.localize()
        counts.append(threshold_counts(sample.seg_scores, sample.gt_sem_seg.data[0]))
    assert found['cam_iou'] == pytest.approx(
        100 * image_mean_iou(torch.stack(counts))[1].max().item()
    )


def test_without_masks_quality_says_nothing_of_maps(config_and_checkpoint, mmpretrain_scope):
    cfg, path, _ = config_and_checkpoint(several_heads(), masks=False)
    dataset = build_test_data(cfg, split='val')
    assert set(quality(load_model(cfg, path), dataset)) == {'accuracy', 'worst_class'}


def test_a_single_head_leaves_nothing_to_choose(config_and_checkpoint, mmpretrain_scope, tmp_path):
    cfg, path = trained(tmp_path, tiny_model(1))
    with pytest.raises(UserError, match='CAMHead is a single head: nothing is to be chosen'):
        choose_head(cfg, path, tmp_path / 'chosen.pth')

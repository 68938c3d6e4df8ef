import csv

import pytest
import torch
from label_runs import tiny_model
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from mmsmoke.experiments.retraining import GRIDS, retrain_head
from mmsmoke.experiments.upweighting import upweight_errors
from mmsmoke.inference.predictor import load_model
from mmsmoke.utils import UserError

PIPELINE = [dict(type='mmsmoke.LoadImage'), dict(type='mmsmoke.PackWeakSegInputs')]
DISTILLER = dict(
    type='mmsmoke.CrossArchDistiller',
    align='logits',
    transfer_loss=dict(type='mmsmoke.TransferLoss'),
)


@pytest.fixture
def trained(tiny_dataset, tmp_path):
    """Function that makes a config and a checkpoint of a model that nobody has trained."""
    root = tiny_dataset(splits=dict(train=20, val=8), context=True)

    def make(model=None, seed=0):
        data = dict(
            type='mmsmoke.WeakSegDataset', data_root=str(root), test_mode=True, pipeline=PIPELINE
        )
        cfg = Config(
            dict(
                default_scope='mmpretrain',
                model=model or tiny_model(1),
                val_dataloader=dict(dataset=dict(split='val', **data)),
                test_dataloader=dict(dataset=dict(split='test', **data)),
            )
        )
        torch.manual_seed(seed)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            weights = MODELS.build(cfg.to_dict()['model']).state_dict()
        path = tmp_path / f'{seed}.pth'
        torch.save(dict(state_dict=weights, meta=dict(seed=seed)), path)
        return cfg, path

    return make


@pytest.mark.parametrize('method', [name for name in GRIDS if name != 'self'])
@pytest.mark.parametrize('role', ['', 'student.'], ids=['classifier', 'distiller'])
def test_the_head_alone_changes_and_the_file_is_a_checkpoint(trained, tmp_path, method, role):
    model = dict(DISTILLER, student=tiny_model(1), teacher=tiny_model(1)) if role else None
    cfg, checkpoint = trained(model)
    out = tmp_path / 'head.pth'
    result = retrain_head(cfg, checkpoint, out, method, (0.0, 1.0), steps=20)
    before, after = (torch.load(path)['state_dict'] for path in (checkpoint, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f'{role}head.classifier.weight'}
    load_model(cfg, out)
    assert result['oracle'] == (method == 'dfr') and result['images'] == 20
    assert len(result['tried']) == len(GRIDS[method])
    best = max(result['tried'], key=lambda one: one['worst_class'])
    assert result['chosen'] == best


def test_features_need_not_be_seen_whole_by_a_head_that_averages(trained, tmp_path):
    """The logits of retrained heads are those of the whole network."""
    cfg, checkpoint = trained()
    out = tmp_path / 'head.pth'
    chosen = retrain_head(cfg, checkpoint, out, 'plain', (0, 1), steps=5)['chosen']
    model, right = load_model(cfg, out), []
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        from mmengine.registry import DATASETS

        val = DATASETS.build(cfg.val_dataloader.dataset)
    for item in val:
        batch = dict(inputs=[item['inputs']], data_samples=[item['data_samples']])
        (sample,) = model.test_step(batch)
        right.append(bool((sample.pred_score > 0.5) == (sample.gt_score > 0.5)))
    assert chosen['accuracy'] == pytest.approx(100 * sum(right) / len(right))


def test_only_the_portion_is_learned_from(trained, tmp_path):
    cfg, checkpoint = trained()
    few, rest = (
        retrain_head(cfg, checkpoint, tmp_path / 'x.pth', 'plain', portion, steps=1)['images']
        for portion in ((0, 0.5), (0.5, 1))
    )
    assert few + rest == 20 and few and rest


def test_self_wants_an_early_checkpoint_and_no_other_does(trained, tmp_path):
    cfg, checkpoint = trained()
    _, early = trained(seed=1)
    out = tmp_path / 'head.pth'
    result = retrain_head(cfg, checkpoint, out, 'self', (0, 1), early, steps=3)
    assert [one['count'] for one in result['tried']] == [50, 50, 200, 200]
    for method, given in (('self', None), ('afr', early)):
        with pytest.raises(UserError, match="method 'self', and no other, needs"):
            retrain_head(cfg, checkpoint, out, method, (0, 1), given)


def test_what_it_cannot_retrain_is_named(trained, tmp_path):
    cfg, checkpoint = trained()
    with pytest.raises(UserError, match='method must be one of plain, afr'):
        retrain_head(cfg, checkpoint, tmp_path / 'x.pth', 'magic')
    model = tiny_model(1)
    model['head']['type'] = 'mmsmoke.PCMHead'
    model['backbone'].update(type='mmsmoke.ResNetPCM', widths=(4, 4, 4))
    cfg, checkpoint = trained(model, seed=2)
    with pytest.raises(UserError, match='PCMHead is no linear head'):
        retrain_head(cfg, checkpoint, tmp_path / 'x.pth')


def test_images_that_are_called_wrong_get_the_weight(trained, tmp_path):
    cfg, checkpoint = trained()
    out = tmp_path / 'weights.csv'
    found = upweight_errors(cfg, checkpoint, out, factor=7)
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found['images'] == 20
    heavy = {row['image'] for row in rows if float(row['weight']) == 7}
    assert len(heavy) == sum(found['wrong'].values())
    # a network without an opinion calls all alike: one side is wrong
    assert 0 in found['wrong'].values() and heavy

import pytest
import torch
from label_runs import tiny_model
from tiny_trained import tiny_distiller, trained

from mmsmoke.experiments.heads import choose_head
from mmsmoke.inference.predictor import load_model
from mmsmoke.utils import UserError


def two_heads():
    model = tiny_model(1)
    model['head'].update(type='mmsmoke.DiversifiedHead', heads=3)
    return model


@pytest.fixture
def config_and_checkpoint(tiny_dataset, tmp_path):
    """Function that makes a classifier whose head 1 alone tells bright images from dark ones."""
    root = tiny_dataset(splits=dict(train=2, val=6, test=2))

    def make(model, prefix=''):
        cfg, path = trained(tmp_path, model)
        cfg.test_dataloader.dataset.data_root = str(root)
        cfg.val_dataloader = dict(dataset=dict(split='val'))
        content = torch.load(path, weights_only=False)
        weight = content['state_dict'].get(f'{prefix}head.classifier.weight')
        weight[0], weight[2] = 10.0, -10.0  # always smoke, never smoke
        torch.save(content, path)
        return cfg, path

    return make


@pytest.mark.parametrize('prefix', ['', 'student.'])
def test_heads_that_always_say_the_same_are_the_worst(
    config_and_checkpoint, prefix, mmpretrain_scope, monkeypatch, tmp_path
):
    model = dict(tiny_distiller(), student=two_heads()) if prefix else two_heads()
    cfg, path = config_and_checkpoint(model, prefix)
    right = dict(accuracy=83.3, worst_class=66.7)
    state = torch.load(path, weights_only=False)['state_dict'][f'{prefix}head.classifier.weight']

    def accuracies(head, seen):
        from mmsmoke.experiments.retraining import accuracies

        assert len(seen.labels) == 6
        middle = torch.equal(head.classifier.weight[0], state[1])
        return right if middle else accuracies(head, seen)

    monkeypatch.setattr('mmsmoke.experiments.heads.accuracies', accuracies)
    result = choose_head(cfg, path, tmp_path / 'chosen.pth')
    assert [one['worst_class'] for one in result['tried']] == [0, 66.7, 0]
    assert {one['accuracy'] for one in result['tried'][::2]} == {50.0}
    assert result['chosen'] == 1 and result['tried'][1] == right
    chosen = load_model(cfg, result['checkpoint']['path'])
    weight = getattr(chosen, 'student', chosen).head.classifier.weight
    torch.testing.assert_close(weight, state[[1, 0, 2]])


def test_a_single_head_leaves_nothing_to_choose(config_and_checkpoint, mmpretrain_scope, tmp_path):
    cfg, path = trained(tmp_path, tiny_model(1))
    with pytest.raises(UserError, match='CAMHead is a single head: nothing is to be chosen'):
        choose_head(cfg, path, tmp_path / 'chosen.pth')

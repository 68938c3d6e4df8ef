import pytest
import torch
from label_runs import tiny_model


@pytest.fixture
def checkpoint(tmp_path):
    def make(num_classes=1):
        from mmpretrain.registry import MODELS

        torch.manual_seed(0)
        model = MODELS.build(tiny_model(num_classes))
        # random weights give maps of either sign; these see something everywhere
        model.head.classifier.weight.data.abs_()
        path = tmp_path / f'classifier-{num_classes}.pth'
        torch.save(dict(state_dict=model.state_dict(), meta=dict()), path)
        return path

    return make

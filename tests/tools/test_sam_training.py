"""SAM fine-tuned by the tool and called by mmseg, as a user would, on a tiny network."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image
from tiny_sam import tiny_sam

from mmsmoke.models import SAMSegmentor

ROOT = Path(__file__).parents[2]
CONFIG = """
_base_ = '{root}/configs/segmentors/sam_vit-b_10e_ijmond-1024.py'
custom_imports = dict(imports=['mmsmoke.registry', 'tiny_sam'])
resize = dict(type='mmcv.Resize', scale=(64, 64), keep_ratio=True)
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[2] = test_pipeline[1] = resize
few = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline), **few)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline), **few)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline), **few)
model = dict(
    model_type='tiny', data_preprocessor=dict(size=(64, 64), test_cfg=dict(size=(64, 64)))
)
train_cfg = dict(max_epochs=1)
"""


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(1)
    torch.save(tiny_sam().state_dict(), tmp_path / 'tiny.pth')
    return tmp_path / 'tiny.pth'


@pytest.fixture
def root(tiny_dataset):
    folder = tiny_dataset()
    for image in folder.glob('images/train_*.png'):
        mask = folder / 'masks' / image.name
        if not mask.is_file():  # without smoke; one to learn from must have a file
            Image.fromarray(np.zeros((36, 48), np.uint8)).save(mask)
    return folder


def test_trains_by_the_tool_and_predicts_by_mmseg(root, tmp_path, weights):
    config, work_dir = tmp_path / 'sam.py', tmp_path / 'work'
    config.write_text(CONFIG.format(root=ROOT))
    done = subprocess.run(
        [sys.executable, 'tools/train.py', config, '--work-dir', work_dir, '--cfg-options',
         f'data_root={root}', f'train_dataloader.dataset.seg_map_dir={root}/masks',
         f'model.checkpoint={weights}'],
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "tests"}'},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert 'seg/image_iou' in done.stdout + done.stderr
    check_what_was_learned(work_dir / 'epoch_1.pth', weights)
    weights.unlink()
    predict_by_mmseg(work_dir / 'sam.py', work_dir / 'epoch_1.pth', root / 'images/test_0.png')


def check_what_was_learned(checkpoint: Path, weights: Path) -> None:
    saved = torch.load(checkpoint, weights_only=False)
    after = saved['state_dict']
    before = {f'sam.{name}': weight for name, weight in torch.load(weights).items()}
    assert after.keys() == {*before, 'prompt'}
    assert after['prompt'].any()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    model = SAMSegmentor(model_type='tiny')
    learnable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert changed and changed < learnable
    (group,) = saved['optimizer']['param_groups']
    assert len(group['params']) == len(learnable)


def predict_by_mmseg(config: Path, checkpoint: Path, image: Path) -> None:
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = init_model(str(config), str(checkpoint), device='cpu')
        inferencer = MMSegInferencer(
            str(config), str(checkpoint), device='cpu', show_progress=False
        )
        scores = inference_model(model, str(image)).seg_logits.data
        # after so short a training all pixels look alike; this makes a mask of one half of them
        model.decode_head.threshold = inferencer.model.decode_head.threshold = scores.median()
        mask = inference_model(model, str(image)).pred_sem_seg.data
        assert torch.equal(mask == 1, scores > scores.median()) and mask.shape == (1, 36, 48)
        found = inferencer(str(image), return_vis=True)
        assert np.array_equal(found['predictions'], mask[0].numpy())
        assert found['visualization'].shape == (36, 48, 3)
        pixels = np.ascontiguousarray(np.array(Image.open(image))[..., ::-1])
        assert torch.equal(inference_model(model, pixels).pred_sem_seg.data, mask)

"""Tiny models with random weights, as a user has trained ones: a config and a checkpoint."""

import copy

import torch
from label_runs import tiny_model
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from tiny_segmentor import segmentor

PIPELINE = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.LoadContext'),
    dict(type='mmsmoke.PackWeakSegInputs'),
]


def tiny_segmentor(num_classes=2, out_channels=None):
    return segmentor(num_classes, out_channels, preprocessor=dict(bgr_to_rgb=True))


def tiny_distiller():
    return dict(
        type='mmsmoke.CrossArchDistiller',
        student=tiny_model(1),
        teacher=tiny_model(1),
        align='logits',
        transfer_loss=dict(type='mmsmoke.TransferLoss'),
    )


def trained(folder, model, classes=('smoke',), pipeline=PIPELINE, with_config=True):
    """A config, and the file of random weights that are sure of something everywhere."""
    scope = 'mmseg' if model['type'].endswith('EncoderDecoder') else 'mmpretrain'
    dataset = dict(
        type='mmsmoke.WeakSegDataset',
        data_root='nowhere',
        classes=list(classes),
        split='test',
        test_mode=True,
        pipeline=copy.deepcopy(pipeline),
    )
    cfg = Config(dict(default_scope=scope, model=model, test_dataloader=dict(dataset=dataset)))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        weights = MODELS.build(copy.deepcopy(cfg.model)).state_dict()
    for name, value in weights.items():
        if 'conv_seg.' in name and name.endswith('weight'):
            value -= value.mean(1, keepdim=True)  # features are positive: no class wins everywhere
            value *= 100
        elif name.endswith('classifier.weight'):
            value.abs_()
    path = folder / f'trained-{len(list(folder.glob("trained-*")))}.pth'
    meta = dict(cfg=cfg.pretty_text) if with_config else {}
    torch.save(dict(state_dict=weights, meta=meta), path)
    return cfg, path

"""A tiny segmentor, its checkpoint and its config, for tests of what is done with one."""

from pathlib import Path

import torch
from label_runs import tiny_model
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

PIPELINE = (
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmsmoke.LoadMask'),
    dict(type='mmsmoke.PackWeakSegInputs'),
)


def segmentor(num_classes=2, out_channels=None, preprocessor=None, **head):
    """Softmax over the background and the classes; with out_channels=1 a sigmoid."""
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[50, 55, 60], std=[50, 60, 70],
                               **(preprocessor or {})),
        backbone=dict(type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4,
                      num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(1,)),
        decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_convs=1, in_index=0,
                         num_classes=num_classes, out_channels=out_channels, threshold=0.4,
                         norm_cfg=dict(type='BN'), **head,
                         loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=out_channels == 1)),
        test_cfg=dict(mode='whole'),
    )  # fmt: skip


def deeplab(version):
    """Return the config of a segmentor with the same trunk and DeepLabV1's or V2's head."""
    model = segmentor()
    old = {key: model['decode_head'][key] for key in ('in_channels', 'in_index', 'num_classes')}
    if version == 1:
        norm = dict(type='BN', momentum=3e-4)
        head = dict(type='mmsmoke.LargeFOVHead', channels=8, dilation=2, norm_cfg=norm)
    else:
        model['type'] = 'mmsmoke.MultiScaleEncoderDecoder'
        balanced = dict(type='mmsmoke.BalancedCrossEntropyLoss')
        head = dict(type='mmsmoke.AddedASPPHead', dilations=(1, 2, 3, 4), loss_decode=balanced)
    return {**model, 'decode_head': {**old, **head}}


def single(classifier=None, head=None, **others):
    """Return the config of a one-stage segmentor on the same trunk."""
    classifier = classifier or tiny_model(1)
    old = segmentor()['decode_head']
    kept = {key: old[key] for key in ('type', 'in_channels', 'channels', 'num_convs', 'norm_cfg')}
    return dict(
        type='mmsmoke.SingleStageSegmentor',
        classifier=classifier,
        decode_head={**kept, 'num_classes': 2, 'dropout_ratio': 0, **(head or {})},
        **others,
    )


def mutual(**others):
    """Return the config of two one-stage segmentors, whose colours are normalised differently."""
    second = tiny_model(1)
    second['data_preprocessor'] = dict(mean=[100] * 3, std=[50] * 3, to_rgb=False)
    second['backbone'].update(base_channels=8)
    second['head']['in_channels'] = 16
    networks = dict(first=single(), second=single(second, dict(in_channels=16)))
    return dict(type='mmsmoke.MutualSegmentor', **networks, **others)


@torch.no_grad()
def build(model):
    """With random weights that find something of each class in noise, by colour and place."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        built = MODELS.build(model).eval()
    last = built.decode_head.conv_seg
    branches = last if isinstance(last, torch.nn.ModuleList) else [last]
    noise, meta = torch.randn(4, 3, 64, 64), dict(img_shape=(64, 64))
    spread = built.encode_decode(noise, [meta]).std()
    for branch in branches:
        branch.weight *= 3 / spread
    branches[0].bias -= built.encode_decode(noise, [meta]).mean((0, 2, 3))
    return built


def on_disk(folder: Path, data_root, model, pipeline=PIPELINE, classes=('smoke',), meta=None):
    """A config file and a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = dict(
        type='mmsmoke.WeakSegDataset',
        data_root=str(data_root),
        classes=list(classes),
        split='test',
        test_mode=True,
        pipeline=list(pipeline),
    )
    cfg = Config(
        dict(
            default_scope='mmseg',
            custom_imports=dict(imports=['mmsmoke.registry']),
            model=model,
            test_dataloader=dict(batch_size=1, dataset=dataset),
            test_cfg=dict(),
        )
    )
    cfg.dump(str(folder / 'segmentor.py'))
    checkpoint = folder / 'segmentor.pth'
    torch.save(dict(state_dict=build(model).state_dict(), meta=meta or {}), checkpoint)
    return folder / 'segmentor.py', checkpoint

"""One tiny network for each component of the model room, and pictures for them."""

import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from tiny_sam import tiny_sam  # noqa: F401 (SAM of the type ``tiny``)

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample

SIZE = 32
CNN = dict(
    type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, num_stages=2,
    strides=(1, 2), dilations=(1, 1), out_indices=(1,),
)  # fmt: skip
PCM = dict(CNN, type='mmsmoke.ResNetPCM', widths=(8, 8, 16))
SEAM_PCM = dict(PCM, mode='seam')
TIMM = dict(type='mmsmoke.TIMMPyramid', model_name='test_efficientnet')
VIT = dict(
    type='mmpretrain.VisionTransformer', img_size=SIZE, patch_size=8, out_type='featmap',
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
)  # fmt: skip
COSINE = dict(type='mmsmoke.GlobalCosineTransferLoss', loss_weight=0.3)
SEG = dict(
    type='mmseg.SegDataPreProcessor', mean=[128] * 3, std=[64] * 3, bgr_to_rgb=True,
    seg_pad_val=255, size_divisor=1,
)  # fmt: skip
SQUARES = {**SEG, 'size_divisor': None, 'size': (64, 64), 'test_cfg': dict(size=(64, 64))}


def classifier(backbone, head, in_channels, mean=128, **others):
    return dict(
        type='mmsmoke.CAMClassifier',
        data_preprocessor=dict(mean=[mean] * 3, std=[64] * 3, to_rgb=True),
        backbone=backbone,
        head=dict(num_classes=2, in_channels=in_channels, **head),
        **others,
    )


CAM, PCM_HEAD = dict(type='mmsmoke.CAMHead'), dict(type='mmsmoke.PCMHead')
OF_CNN = classifier(CNN, CAM, 16)
TEACHER = classifier(PCM, PCM_HEAD, 16, mean=100)
STUDENT = classifier(VIT, CAM, 24)
LAYERS = dict(type='mmsmoke.GradCAM', layers=[-2, -1])
FPR = dict(type='mmsmoke.FalsePositiveLoss')
CROPS = dict(
    type='mmsmoke.CropContrastLoss', crops=2, crop_size=SIZE, width=8, queue=20, temperature=1.0
)
TWO_HEADS = dict(type='mmsmoke.DiversifiedHead')
DISAGREE = dict(type='mmsmoke.DisagreementLoss', prior=0.5)


def distiller(align, teacher=TEACHER, **others):
    if align in ('read_out', 'features'):
        others.setdefault('projection', dict(type='mmsmoke.FeatureProjection'))
    networks = dict(student=STUDENT, teacher=teacher, transfer_loss=COSINE)
    return dict(type='mmsmoke.CrossArchDistiller', align=align, **{**networks, **others})


CLASSIFIERS = dict(
    cnn=OF_CNN,
    max_pool=classifier(CNN, dict(CAM, pool='max', background=True, bias=True), 16),
    pcm=TEACHER,
    pcm_of_seam=classifier(SEAM_PCM, PCM_HEAD, 16),
    timm=classifier(TIMM, CAM, 64),
    timm_early=classifier(dict(TIMM, out_indices=(1, 2)), CAM, 32),
    timm_pcm=classifier(dict(TIMM, type='mmsmoke.TIMMPyramidPCM', widths=(8, 8, 16)), PCM_HEAD, 64),
    vit=STUDENT,
    vit_cls=classifier(
        dict(VIT, type='mmsmoke.ViTWithCLS'),
        dict(type='mmsmoke.CLSHead'),
        24,
        cam=dict(type='mmsmoke.LinearCAM'),
    ),
    acr=dict(STUDENT, type='mmsmoke.ACRClassifier'),
    transcam=classifier(
        dict(
            type='mmsmoke.ConformerWithCLS',
            arch=dict(embed_dims=24, depths=12, num_heads=2, channel_ratio=0.25),
            base_channels=16,
        ),
        dict(type='mmsmoke.TransCAMHead', token_channels=24),
        16,
        cam=dict(type='mmsmoke.AttentionCAM'),
    ),
    false_positives=dict(OF_CNN, aux=[FPR]),
    crops=dict(OF_CNN, aux=[dict(CROPS, start=0)]),
    crops_later=dict(OF_CNN, aux=[CROPS]),
    map_loss=dict(OF_CNN, aux=[dict(type='mmsmoke.MapLoss')]),
    map_loss_of_student=distiller(
        'read_out', student=dict(STUDENT, aux=[dict(type='mmsmoke.MapLoss')])
    ),
    two_heads=classifier(CNN, TWO_HEADS, 16, aux=[DISAGREE]),
    two_heads_of_vit=classifier(VIT, TWO_HEADS, 24, aux=[DISAGREE]),
    cached=classifier(dict(type='mmsmoke.FeatureCache', backbone=CNN), CAM, 16),
    **{
        f'views_{recipe}': dict(OF_CNN, cam=dict(type='mmsmoke.MultiScaleCAM', recipe=recipe))
        for recipe in ('thesis', 'irn', 'afa')
    },
    grad_cam=dict(OF_CNN, cam=LAYERS),
    grad_cam_of_vit=dict(STUDENT, cam=LAYERS),
    views_grad_cam=dict(OF_CNN, cam=LAYERS, views=dict(recipe='irn')),
    **{
        f'{cam}_of_cnn': dict(OF_CNN, cam=dict(type=f'mmsmoke.{cam}'))
        for cam in ('GradCAMPlusPlus', 'LayerCAM', 'ScoreCAM')
    },
    **{
        f'{cam}_of_vit': dict(STUDENT, cam=dict(type=f'mmsmoke.{cam}'))
        for cam in ('LayerCAM', 'ScoreCAM', 'AttentionCAM', 'AttentionGradCAM', 'AttentionRollout')
    },
    read_out=distiller('read_out'),
    linear=distiller('read_out', projection=dict(type='mmsmoke.FeatureProjection', kind='linear')),
    foreground=distiller('read_out', transfer_loss=dict(COSINE, channels='fg')),
    read_projection=distiller('read_out', read_projection=True),
    features=distiller('features', OF_CNN),
    both_projected=distiller(
        'features',
        teacher_projection=dict(
            type='mmsmoke.FeatureProjection', kind='frozen_random', out_channels=6
        ),
    ),
    class_maps=distiller('class_maps'),
    logits=distiller('logits', transfer_loss=dict(type='mmsmoke.TransferLoss', metric='kl')),
    seam=dict(
        type='mmsmoke.SEAM',
        ratio=0.5,
        student=classifier(SEAM_PCM, CAM, 16, cam=dict(type='mmsmoke.CorrelatedCAM')),
    ),
    co_training=distiller('read_out', paradigm='co_training', detach='none'),
)
STEM = dict(CNN, type='mmsmoke.ResNetWithStem', out_indices=(0, 1))
AFFINITY_NETS = {
    'affinity_of_features': dict(
        type='mmsmoke.AffinityNet',
        data_preprocessor=SEG,
        backbone=dict(CNN, out_indices=(0, 1)),
        head=dict(type='mmsmoke.FeatureAffinityHead', in_channels=(8, 16), widths=(8, 16)),
    ),
    'affinity_of_boundaries': dict(
        type='mmsmoke.AffinityNet',
        data_preprocessor=SEG,
        backbone=STEM,
        head=dict(type='mmsmoke.BoundaryAffinityHead', in_channels=(8, 8, 16), radius=5),
        flip=True,
        frozen_backbone=True,
    ),
}
DOUBLING = dict(
    type='mmseg.EncoderDecoder',
    data_preprocessor=SEG,
    backbone=CNN,
    decode_head=dict(
        type='mmsmoke.DoublingHead', widths=(8, 4), in_channels=16, in_index=0, num_classes=2,
        norm_cfg=dict(type='BN'), loss_decode=dict(type='mmseg.CrossEntropyLoss'),
    ),
    test_cfg=ConfigDict(mode='whole'),
)  # fmt: skip
SIGMOID = dict(
    DOUBLING,
    decode_head=dict(
        DOUBLING['decode_head'], out_channels=1, threshold=0.4,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True),
    ),
)  # fmt: skip
LARGE_FOV = dict(
    DOUBLING,
    decode_head=dict(
        type='mmsmoke.LargeFOVHead', channels=8, dilation=2, in_channels=16, in_index=0,
        num_classes=2, norm_cfg=dict(type='BN'), dropout_ratio=0,
        loss_decode=dict(type='mmsmoke.BalancedCrossEntropyLoss'),
    ),
)  # fmt: skip
SEVERAL_SCALES = dict(
    DOUBLING,
    type='mmsmoke.MultiScaleEncoderDecoder',
    decode_head=dict(
        type='mmsmoke.AddedASPPHead', dilations=(1, 2), in_channels=16, in_index=0,
        num_classes=2, loss_decode=dict(type='mmseg.CrossEntropyLoss'),
    ),
)  # fmt: skip
LINEAR = dict(
    type='mmseg.FCNHead', num_convs=0, concat_input=False, dropout_ratio=0, num_classes=3,
    in_channels=16, channels=16,
)  # fmt: skip
SINGLE = dict(
    type='mmsmoke.SingleStageSegmentor', classifier=OF_CNN, decode_head=LINEAR,
    labels=dict(high=0.5, low=0.2),
)  # fmt: skip
TAUGHT = dict(
    SINGLE,
    classifier=distiller('class_maps'),
    decode_head=dict(LINEAR, in_channels=24, channels=24),
)
ONE_STAGE = dict(
    single=SINGLE,
    single_later=dict(SINGLE, warm_up=1),
    single_taught=TAUGHT,
    single_auxiliary=dict(
        SINGLE,
        classifier=classifier(dict(CNN, out_indices=(0, 1)), CAM, 16),
        auxiliary=dict(index=0, in_channels=8),
        ema=0.9,
    ),
    single_views=dict(
        SINGLE, labels=dict(high=0.5, low=0.2, refine=None, views=dict(recipe='irn'))
    ),
    mutual=dict(type='mmsmoke.MutualSegmentor', first=SINGLE, second=TAUGHT),
)
SEGMENTORS = dict(
    **ONE_STAGE,
    large_fov=LARGE_FOV,
    several_scales=SEVERAL_SCALES,
    doubling=DOUBLING,
    doubling_sigmoid=SIGMOID,
    sam=dict(type='mmsmoke.SAMSegmentor', model_type='tiny', data_preprocessor=SQUARES),
)
VIEWS = dict(
    softmax=dict(type='mmsmoke.MeanTTA', module=DOUBLING),
    sigmoid=dict(type='mmsmoke.MeanTTA', module=SIGMOID),
)


def build(name, config):
    torch.manual_seed(0)
    scope = 'mmseg' if name in {**SEGMENTORS, **VIEWS} else 'mmpretrain'
    with DefaultScope.overwrite_default_scope(scope):
        return MODELS.build(config)


def without_masks(data):
    """Return what a loader gives, without masks, from which a one-stage segmentor would learn."""
    for sample in data['data_samples']:
        del sample.gt_sem_seg
    return data


def batch(size=SIZE):
    """Three pictures with labels and masks, as a loader gives them."""
    dice = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (3, 3, size, size), generator=dice).byte()
    samples = []
    for number in range(3):
        labels = torch.tensor([1.0, float(number % 2)])
        sample = WeakSegDataSample(
            metainfo=dict(
                ori_shape=(size, size), img_shape=(size, size), true_mask=bool(number % 2)
            )
        )
        sample.set_gt_score(labels)
        mask = torch.randint(0, 2, (1, size, size), generator=dice)
        mask[0, 0] = 255
        sample.gt_sem_seg = PixelData(data=mask)
        samples.append(sample)
    return dict(inputs=list(images), data_samples=samples)

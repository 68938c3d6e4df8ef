# The other way round: a ViT teaches a CNN.
_base_ = './crossarch_r50-pcm_vit-b_3e_ijmond-512.py'

model = dict(
    student=dict(config='cam/resnet50-pcm_2e_ijmond-512.py'),
    teacher=dict(
        config='cam/vit-base-cls_3e_ijmond-512.py',
        init_cfg=dict(checkpoint='work_dirs/vit-base-cls_3e_ijmond-512/epoch_3.pth'),
    ),
)

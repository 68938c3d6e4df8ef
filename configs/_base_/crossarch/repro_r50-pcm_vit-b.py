# The thesis' pair.
_base_ = './repro.py'

model = dict(
    student=dict(config='cam/vit-base-cls_3e_ijmond-512.py'),
    teacher=dict(
        config='cam/resnet50-pcm_2e_ijmond-512.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet50-pcm_2e_ijmond-512/epoch_2.pth'
        ),
    ),
)

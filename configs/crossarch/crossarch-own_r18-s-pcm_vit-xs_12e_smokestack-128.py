_base_ = [
    '../_base_/crossarch/own.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-xs_12e_smokestack-128.py'),
    teacher=dict(
        config='cam/resnet18-s-pcm_12e_smokestack-128.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet18-s-pcm_12e_smokestack-128/epoch_12.pth'
        ),
    ),
    transfer_loss=dict(center=True),
)

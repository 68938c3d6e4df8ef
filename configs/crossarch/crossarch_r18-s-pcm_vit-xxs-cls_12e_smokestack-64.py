_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/smokestack-64.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-xxs-cls_12e_smokestack-64.py'),
    teacher=dict(
        config='cam/resnet18-s-pcm_12e_smokestack-64.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet18-s-pcm_12e_smokestack-64/epoch_12.pth'
        ),
    ),
)

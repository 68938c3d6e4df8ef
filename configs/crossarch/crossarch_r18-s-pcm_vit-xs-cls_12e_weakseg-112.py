# Train the teacher first: python tools/train.py configs/cam/resnet18-s-pcm_12e_weakseg-112.py
_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/weakseg-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-xs-cls_12e_weakseg-112.py'),
    teacher=dict(
        config='cam/resnet18-s-pcm_12e_weakseg-112.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet18-s-pcm_12e_weakseg-112/epoch_12.pth'
        ),
    ),
)

_base_ = [
    '../_base_/crossarch/own_maps.py',
    '../_base_/datasets/smoke5k-pack-112.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-xs_12e_smoke5k-pack-112.py'),
    teacher=dict(
        config='cam/resnet18-s-pcm_12e_smoke5k-pack-112.py',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/resnet18-s-pcm_12e_smoke5k-pack-112/epoch_12.pth',
        ),
    ),
)

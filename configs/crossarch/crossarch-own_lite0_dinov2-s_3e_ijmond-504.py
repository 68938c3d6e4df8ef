# Both networks start from weights of packages.
_base_ = [
    '../_base_/crossarch/own.py',
    '../_base_/datasets/ijmond-504.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/dinov2-s_3e_ijmond-504.py'),
    teacher=dict(
        config='cam/lite0_3e_ijmond-504.py',
        init_cfg=dict(type='Pretrained', checkpoint='work_dirs/lite0_3e_ijmond-504/epoch_3.pth'),
    ),
)

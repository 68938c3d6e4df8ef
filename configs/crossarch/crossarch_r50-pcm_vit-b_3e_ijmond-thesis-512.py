# The profile crossarch_repro: the thesis as far as it is known; docs/crossarch.md says what is not.
# Train the teacher first: python tools/train.py configs/cam/resnet50-pcm_2e_ijmond-thesis-512.py
_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/ijmond-thesis-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-base-cls_3e_ijmond-512.py'),
    teacher=dict(
        config='cam/resnet50-pcm_2e_ijmond-512.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet50-pcm_2e_ijmond-thesis-512/epoch_2.pth'
        ),
    ),
)

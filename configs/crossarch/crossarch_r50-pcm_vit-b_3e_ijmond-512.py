# The thesis' networks and schedule on the clean protocol.
# Train the teacher first: python tools/train.py configs/cam/resnet50-pcm_2e_ijmond-512.py
_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-base-cls_3e_ijmond-512.py'),
    teacher=dict(
        config='cam/resnet50-pcm_2e_ijmond-512.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet50-pcm_2e_ijmond-512/epoch_2.pth'
        ),
    ),
)

# The profile crossarch_safe. Train the teacher first, on the same pictures:
# python tools/train.py configs/cam/resnet50-pcm_2e_ijmond-512.py
_base_ = [
    '../_base_/crossarch/safe.py',
    '../_base_/datasets/ijmond-512_aug.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(
        config='cam/vit-base-cls_3e_ijmond-512.py',
        # what these weights were trained with; the teacher gets its own
        data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    ),
    teacher=dict(
        config='cam/resnet50-pcm_2e_ijmond-512.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet50-pcm_2e_ijmond-512/epoch_2.pth'
        ),
    ),
)

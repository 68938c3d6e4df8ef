# The thesis' arrangement, both networks with weights of packages: a projection of the student's
# features learns to be the teacher's class maps, and what is aligned is what is read.
_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/weakseg-168.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/dinov2-s_3e_weakseg-168.py'),
    teacher=dict(
        config='cam/lite0-pcm_3e_weakseg-168.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/lite0-pcm_3e_weakseg-168/epoch_3.pth'
        ),
    ),
    read_projection=True,
)

_base_ = [
    '../_base_/crossarch/own.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/scratch_40e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(config='cam/vit-small_scratch-40e_weakseg-224.py'),
    teacher=dict(
        config='cam/resnet50-pcm_scratch-40e_weakseg-224.py',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/resnet50-pcm_scratch-40e_weakseg-224/epoch_40.pth',
        ),
    ),
    transfer_loss=dict(center=True),
)

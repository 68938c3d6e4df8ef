# The profile crossarch_safe: the thesis' arrangement without its trap. The teacher's background
# channel, which nothing trains, is left out; pictures are flipped and mildly jittered. Option:
# transfer_loss=dict(center=True), so that a constant map scores nothing.
_base_ = './crossarch_r50-pcm_vit-b_3e_ijmond-512.py'

model = dict(
    # what these weights were trained with; the teacher gets its own
    student=dict(data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5])),
    transfer_loss=dict(channels='fg'),
)
train_pipeline = [
    dict(type='mmsmoke.LoadImage'),
    dict(type='mmcv.Resize', scale=(_base_.size, _base_.size)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='mmsmoke.PackWeakSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

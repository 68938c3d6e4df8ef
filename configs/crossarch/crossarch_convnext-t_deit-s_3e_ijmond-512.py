# Any pair fits. This teacher's head has no background channel, so one channel is aligned.
_base_ = './crossarch_r50-pcm_deit-s_3e_ijmond-512.py'

model = dict(
    teacher=dict(
        config='cam/timm-convnext-tiny_3e_ijmond-512.py',
        backbone=dict(pretrained=False),  # its checkpoint holds everything
        init_cfg=dict(checkpoint='work_dirs/timm-convnext-tiny_3e_ijmond-512/epoch_3.pth'),
    ),
)

# Ours, see crossarch-own_r18-s-pcm_vit-xs_12e_smokestack-128.py.
_base_ = './crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py'

model = dict(
    student=dict(config='cam/vit-xxs_12e_smokestack-64.py'),
    align='class_maps',
    projection=None,
    transfer_loss=dict(center=True),
)

# Ours: the student's own class maps are aligned, so the map that is read later is the map that was
# steered. Foreground channels only, hence nothing to project.
_base_ = './crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'

model = dict(
    student=dict(config='cam/vit-xs_12e_smokestack-128.py'),
    align='class_maps',
    projection=None,
    transfer_loss=dict(center=True),
)

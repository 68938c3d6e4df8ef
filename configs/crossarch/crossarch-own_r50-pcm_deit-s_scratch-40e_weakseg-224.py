# Ours: the student's own class maps are aligned, so the map that is read later is the map that was
# steered. Foreground channels only, hence nothing to project.
_base_ = './crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py'

model = dict(
    student=dict(config='cam/vit-small_scratch-40e_weakseg-224.py'),
    align='class_maps',
    projection=None,
    transfer_loss=dict(center=True),
)

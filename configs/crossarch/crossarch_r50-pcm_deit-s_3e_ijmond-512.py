_base_ = './crossarch_r50-pcm_vit-b_3e_ijmond-512.py'

model = dict(student=dict(config='cam/deit-small-cls_3e_ijmond-512.py'))

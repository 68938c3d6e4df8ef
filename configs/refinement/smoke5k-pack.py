# The same on photographs.
_base_ = './smokestack.py'

config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_weakseg-112.py'
data_root = 'data/smoke5k-pack'
options = dict(data_root=data_root)
draw = dict(_delete_=True)
trained = dict(psa=dict(config='configs/affinity/psa_resnet18-s_6e_weakseg-112.py'))

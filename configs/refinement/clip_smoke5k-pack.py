# The same on photographs.
_base_ = './clip_smokestack.py'

config = 'configs/pseudo/crossarch_r18-s-pcm_vit-xs-cls_smoke5k-pack-112.py'
data_root = 'data/smoke5k-pack'
draw = dict(_delete_=True)

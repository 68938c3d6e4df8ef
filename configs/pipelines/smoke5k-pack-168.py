# Photographs of the SMOKE5K pack, with weights from packages; a round of self-training and the
# upper bound of true masks, three seeds.
_base_ = './weakseg-168.py'

data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]

teach = dict(config='configs/cam/lite0_3e_smoke5k-pack-168.py')
classify = dict(config='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_smoke5k-pack-168.py')
label = dict(config='configs/pseudo/crossarch-own_lite0_dinov2-s_smoke5k-pack-168.py')
segment = dict(config='configs/segmentors/linear_dinov2-s_3e_smoke5k-pack-168.py')
self_training = dict(config='configs/pseudo/linear_dinov2-s_smoke5k-pack-168.py', rounds=1)
full = dict(config='configs/segmentors/linear_dinov2-s_3e_smoke5k-pack-168_full.py')

# Photographs of the SMOKE5K pack on a CPU. No CRF: see docs/segmentors.md. A round of self-training
# and the upper bound of true masks, three seeds.
_base_ = './weakseg-112.py'

data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]

classify = dict(config='configs/cam/resnet18-s_12e_smoke5k-pack-112.py')
label = dict(config='configs/pseudo/resnet18-s_smoke5k-pack-112.py')
segment = dict(config='configs/segmentors/mlp_r18-s_12e_smoke5k-pack-112.py')
self_training = dict(config='configs/pseudo/mlp_r18-s_smoke5k-pack-112.py', rounds=1)
full = dict(config='configs/segmentors/mlp_r18-s_12e_smoke5k-pack-112_full.py')

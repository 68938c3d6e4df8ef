# Photographs of the SMOKE5K pack on a CPU. From scratch this small classifier learns little of them
# in 12 epochs, and no weights come along, so it begins with drawn scenes. No CRF: see
# docs/segmentors.md. A round of self-training, the upper bound of true masks, three seeds.
data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]

pretrain = dict(
    config='configs/cam/resnet18-s_12e_smokestack-128.py',
    options=dict(data_root='data/smokestack-demo'),
    draw=dict(preset='easy', p_chimney_smoke=0.5, size=128, train=1200, val=200, test=200, seed=0),
)
classify = dict(config='configs/cam/resnet18-s_12e_smoke5k-pack-112.py')
label = dict(config='configs/pseudo/resnet18-s_smoke5k-pack-112.py')
segment = dict(
    config='configs/segmentors/mlp_r18-s_12e_smoke5k-pack-112.py', start_from_classifier=True
)
self_training = dict(config='configs/pseudo/mlp_r18-s_smoke5k-pack-112.py', rounds=1)
full = dict(config='configs/segmentors/mlp_r18-s_12e_smoke5k-pack-112_full.py')

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

# Photographs of the SMOKE5K pack, on a CPU: everything from scratch, three seeds, with a round of
# self-training and the upper bound of true masks. A day on two cores; it goes on where it stopped.
data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]

classify = dict(config='configs/cam/resnet18_24e_smoke5k-pack-128.py')
label = dict(config='configs/pseudo/resnet18_crf_smoke5k-pack-128.py')
segment = dict(
    config='configs/segmentors/mlp_r18_12e_smoke5k-pack-128.py', start_from_classifier=True
)
self_training = dict(config='configs/pseudo/mlp_r18_smoke5k-pack-128.py', rounds=1)
full = dict(config='configs/segmentors/mlp_r18_12e_smoke5k-pack-128_full.py')

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

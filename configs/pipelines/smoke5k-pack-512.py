# Photographs of the SMOKE5K pack on a GPU, from ImageNet's weights, segmenters at 512 px.
data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]

classify = dict(config='configs/cam/resnet50_12e_weakseg-224.py')
label = dict(config='configs/pseudo/resnet50_crf_weakseg-224.py')
segment = dict(config='configs/segmentors/deeplabv3plus_r50_12e_smoke5k-512.py')
self_training = dict(config='configs/pseudo/deeplabv3plus_r50_smoke5k-512.py', rounds=0)
full = dict(config='configs/segmentors/deeplabv3plus_r50_12e_smoke5k-512_full.py')

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

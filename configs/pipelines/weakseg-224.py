# Your own images and labels: --cfg-options data_root=data/NAME
data_root = 'data/mine'

classify = dict(config='configs/cam/resnet50_12e_weakseg-224.py')
label = dict(config='configs/pseudo/resnet50_weakseg-224.py')
segment = dict(config='configs/segmentors/deeplabv3plus_r50_12e_weakseg-224.py')
self_training = dict(config='configs/pseudo/deeplabv3plus_r50_weakseg-224.py', rounds=0)

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

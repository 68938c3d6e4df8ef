# Your own images and labels, with weights of a model hub: --cfg-options data_root=data/NAME
data_root = 'data/mine'

classify = dict(config='configs/cam/resnet50_12e_weakseg-224.py')
segment = dict(config='configs/segmentors/deeplabv3plus_r50_12e_weakseg-224.py')
self_training = dict(rounds=0)

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

# Your own images and labels on a CPU, in minutes: --cfg-options data_root=data/NAME
#
# Nothing is downloaded: both networks are small and start from random weights.
data_root = 'data/mine'

classify = dict(config='configs/cam/resnet18-s_12e_weakseg-112.py')
label = dict(config='configs/pseudo/resnet18-s_weakseg-112.py')
segment = dict(config='configs/segmentors/mlp_r18-s_12e_weakseg-112.py', start_from_classifier=True)

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

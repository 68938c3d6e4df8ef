# The demo: drawn scenes, a small CNN, thresholded CAMs, a small DeepLabV3+. Minutes on a laptop's CPU.
data_root = 'data/smokestack-demo'
draw = dict(preset='easy', size=128, train=1200, val=200, test=200, seed=0)

classify = dict(config='configs/cam/resnet18-s_12e_smokestack-128.py')
label = dict(config='configs/pseudo/resnet18-s_smokestack-128.py')
segment = dict(config='configs/segmentors/deeplabv3plus_r18-s_12e_smokestack-128.py')

threshold_split = 'val'
test_splits = ['test', 'chimney_only', 'smoke_only']
picture_split = 'test'

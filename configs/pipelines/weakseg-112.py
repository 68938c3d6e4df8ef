# Your own images and labels on a CPU: --cfg-options data_root=data/NAME
#
# Nothing is downloaded. The networks are small, and the classifier begins with drawn scenes: from
# random weights it learns little of photographs in 12 epochs.
data_root = 'data/mine'

pretrain = dict(
    config='configs/cam/resnet18-s_12e_smokestack-128.py',
    options=dict(data_root='data/smokestack-demo'),
    draw=dict(preset='easy', p_chimney_smoke=0.5, size=128, train=1200, val=200, test=200, seed=0),
)
classify = dict(config='configs/cam/resnet18-s_12e_weakseg-112.py')
segment = dict(config='configs/segmentors/mlp_r18-s_12e_weakseg-112.py', start_from_classifier=True)

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

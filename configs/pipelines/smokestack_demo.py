# The demo: drawn scenes, a small CNN, thresholded CAMs, a small segmenter.
#
# Chimneys stand in half of all images here, with smoke or without: the classifier has no shortcut.
# To see what the shortcut does to the maps: another --work-dir, and --cfg-options
# data_root=data/shortcut draw.preset=biased draw.p_chimney_smoke=1
data_root = 'data/smokestack-demo'
draw = dict(preset='easy', p_chimney_smoke=0.5, size=128, train=1200, val=200, test=200, seed=0)

classify = dict(config='configs/cam/resnet18-s_12e_smokestack-128.py')
label = dict(config='configs/pseudo/resnet18-s_smokestack-128.py')
segment = dict(
    config='configs/segmentors/mlp_r18-s_6e_smokestack-128.py', start_from_classifier=True
)
# with --cfg-options self_training.rounds=1 another segmenter learns from what the first one sees
self_training = dict(config='configs/pseudo/mlp_r18-s_smokestack-128.py', rounds=0)

threshold_split = 'val'
test_splits = ['test', 'chimney_only', 'smoke_only']
picture_split = 'test'

# The demo: drawn scenes, a small CNN that starts from the weights of a package (docs/weights.md),
# maps refined by a dense CRF, a small segmentor.
#
# Chimneys stand in half of all images here, with smoke or without: the classifier has no shortcut.
# To see what the shortcut does to the maps: another --work-dir, and --cfg-options
# data_root=data/shortcut draw.preset=biased draw.p_chimney_smoke=1
data_root = 'data/smokestack-demo'
draw = dict(preset='easy', p_chimney_smoke=0.5, size=128, train=1200, val=200, test=200, seed=0)

classify = dict(config='configs/cam/lite0-s3_3e_smokestack-256.py')
# the maps' own threshold is 0.5
crf = dict(type='mmsmoke.CRFHook', preset='translucent', background=dict(level=0.4, sharpness=10))
label = dict(refine=['multi_scale:acr', crf], threshold=0.8)
segment = dict(config='configs/segmentors/mlp_lite0_6e_smokestack-128.py')
# with --cfg-options self_training.rounds=1 another segmentor learns from what the first one sees,
# drawn to the edges of the image
self_training = dict(refine=[crf], threshold=0.5, rounds=0)
del crf

threshold_split = 'val'
test_splits = ['test', 'chimney_only', 'smoke_only']
picture_split = 'test'

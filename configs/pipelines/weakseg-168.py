# Your own images and labels on a CPU: --cfg-options data_root=data/NAME
#
# All networks start from weights of packages (docs/weights.md): no model hub is needed. The
# classifier labels at a larger size than it was trained at, at two scales and in a mirror: its maps
# are finer then.
data_root = 'data/mine'

teach = dict(config='configs/cam/lite0_3e_weakseg-168.py')
classify = dict(config='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py')
label = dict(
    refine=['multi_scale:acr:1,1.25', 'crf:translucent'],
    options={'size': 224, 'test_cfg.fp16': 'auto'},
)
segment = dict(config='configs/segmentors/linear_dinov2-s_3e_weakseg-168.py')
self_training = dict(rounds=0, options={'test_cfg.fp16': 'auto'})

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

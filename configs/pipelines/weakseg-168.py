# Your own images and labels on a CPU: --cfg-options data_root=data/NAME
#
# All networks start from weights of packages (docs/weights.md): no model hub is needed.
data_root = 'data/mine'

teach = dict(config='configs/cam/lite0_3e_weakseg-168.py')
classify = dict(config='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py')
label = dict(config='configs/pseudo/crossarch-own_lite0_dinov2-s_weakseg-168.py')
segment = dict(config='configs/segmentors/linear_dinov2-s_3e_weakseg-168.py')

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'

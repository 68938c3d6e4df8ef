# How much does a CNN classifier lean on the chimney, the more often a chimney means smoke?
config = 'configs/cam/resnet18-s_12e_smokestack-128.py'
seeds = [0, 1, 2]
presets = ('easy', 'biased', 'extreme')
variants = {name: dict(data_root=f'data/smokestack-{name}-128') for name in presets}
options = {
    # the classifier that somebody without any mask would keep
    'default_hooks.checkpoint.save_best': 'label/accuracy',
    # bfloat16: twice as fast where the CPU has it
    'optim_wrapper.type': 'mmsmoke.AutocastOptimWrapper',
}
draw = {
    f'data/smokestack-{name}-128': dict(preset=name, size=128, train=1200, val=300, test=300)
    for name in presets
}
splits = ['val', 'test', 'chimney_only', 'smoke_only']
threshold_split = 'val'
columns = [
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, chimney_only', 'chimney_only', 'label/accuracy'),
    ('accuracy, smoke_only', 'smoke_only', 'label/accuracy'),
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('CAM IoU, smoke_only', 'smoke_only', 'cam/image_iou'),
]

_base_ = ['../cam/lite0-s3_3e_smokestack-128.py', '../_base_/refine/threshold.py']

model = dict(views=dict(recipe='irn', scales=(1, 1.5, 2)))
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator
custom_hooks = [
    dict(type='mmsmoke.CRFHook', preset='translucent', background=dict(level=0.4, sharpness=10)),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.9),
]

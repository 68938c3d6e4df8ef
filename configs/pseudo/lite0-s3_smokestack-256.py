_base_ = ['../cam/lite0-s3_3e_smokestack-256.py', '../_base_/refine/crf_translucent.py']

model = dict(views=dict(recipe='acr'))
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator
# the maps' own threshold is 0.5
custom_hooks = [
    dict(type='mmsmoke.CRFHook', preset='translucent', background=dict(level=0.4, sharpness=10)),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.8),
]

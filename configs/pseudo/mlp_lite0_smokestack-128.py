# Self-training: what the segmentor sees, drawn to the edges of the image, is what the next one
# learns from.
_base_ = ['../segmentors/mlp_lite0_6e_smokestack-128.py', '../_base_/refine/relabel.py']

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator
custom_hooks = [
    dict(type='mmsmoke.CRFHook', preset='translucent', background=dict(level=0.4, sharpness=10)),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.5),
]

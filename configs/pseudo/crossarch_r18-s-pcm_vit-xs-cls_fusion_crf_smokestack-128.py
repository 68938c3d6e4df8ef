_base_ = [
    '../crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py',
    '../_base_/refine/fusion_crf.py',
]

hooks = _base_.custom_hooks
# of six blocks, those at the depths of the thesis' four of twelve
hooks[0].layers = (-3, -2, -1)
custom_hooks = hooks
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

_base_ = [
    '../crossarch/crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py',
    '../_base_/refine/threshold.py',
]

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

_base_ = [
    '../crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smoke5k-pack-112.py',
    '../_base_/refine/threshold.py',
]

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

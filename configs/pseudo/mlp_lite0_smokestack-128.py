_base_ = ['../segmentors/mlp_lite0_6e_smokestack-128.py', '../_base_/refine/relabel.py']

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

_base_ = ['../cam/resnet18-s_12e_weakseg-112.py', '../_base_/refine/threshold.py']

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

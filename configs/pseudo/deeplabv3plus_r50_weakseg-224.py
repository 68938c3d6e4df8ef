_base_ = ['../segmentors/deeplabv3plus_r50_12e_weakseg-224.py', '../_base_/refine/relabel.py']

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

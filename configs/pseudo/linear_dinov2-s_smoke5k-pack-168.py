_base_ = ['../segmentors/linear_dinov2-s_3e_smoke5k-pack-168.py', '../_base_/refine/relabel.py']

test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop', fp16='auto')
test_evaluator = _base_.pseudo_label_evaluator

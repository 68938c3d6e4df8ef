_base_ = ['../cam/resnet18-s_12e_smokestack-128.py', '../_base_/refine/psa.py']

custom_hooks = _base_.custom_hooks
custom_hooks[0].update(
    model=dict(config='affinity/psa_resnet18-s_6e_smokestack-128.py'),
    checkpoint='work_dirs/psa_resnet18-s_6e_smokestack-128/epoch_6.pth',
)
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

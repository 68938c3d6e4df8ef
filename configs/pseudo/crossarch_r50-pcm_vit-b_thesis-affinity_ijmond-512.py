_base_ = [
    '../crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-512.py',
    '../_base_/refine/thesis_affinity.py',
]

model = dict(student=dict(views=dict(recipe='thesis')))
custom_hooks = _base_.custom_hooks
custom_hooks[0].update(
    model=dict(config='affinity/thesis_resnet101_10e_ijmond-512.py'),
    checkpoint='work_dirs/thesis_resnet101_10e_ijmond-512/epoch_10.pth',
)
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

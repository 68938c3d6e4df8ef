_base_ = ['../crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-512.py', '../_base_/refine/psa_labels.py']

model = dict(student=dict(views=dict(recipe='thesis')))
test_dataloader = dict(dataset=dict(split='train'))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

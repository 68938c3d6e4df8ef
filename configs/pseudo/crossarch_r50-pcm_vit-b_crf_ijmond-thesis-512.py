# The test images themselves, as the thesis labels them: what its tables of post-processing show.
_base_ = [
    '../crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-thesis-512.py',
    '../_base_/refine/crf.py',
]

model = dict(student=dict(views=dict(recipe='thesis')))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop')
test_evaluator = _base_.pseudo_label_evaluator

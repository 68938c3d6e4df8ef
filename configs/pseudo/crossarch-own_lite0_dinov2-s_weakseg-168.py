# Seen larger than in training, at two sizes and in a mirror: the maps are finer.
_base_ = [
    '../crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py',
    '../_base_/refine/crf_translucent.py',
]

model = dict(student=dict(views=dict(recipe='acr', scales=(1, 1.25), size_divisor=14)))
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (224, 224)
test_dataloader = dict(dataset=dict(split='train', pipeline=test_pipeline))
test_cfg = dict(type='mmsmoke.PseudoLabelLoop', fp16='auto')
test_evaluator = _base_.pseudo_label_evaluator

# Stage 1: what the training of every CAM classifier has in common, whatever the data.
_base_ = './default_runtime.py'

val_evaluator = [
    dict(type='mmsmoke.LabelAccuracy'),
    dict(type='mmsmoke.PseudoLabelMetric'),
]
test_evaluator = [
    dict(type='mmsmoke.LabelAccuracy'),
    dict(type='mmsmoke.PseudoLabelMetric'),
    # as in use, where no label says which images have smoke
    dict(type='mmsmoke.PseudoLabelMetric', present='prediction', prefix='deployed'),
    # only where data show the companion, or exact pairs; see docs/cooccurrence.md
    dict(type='mmsmoke.CompanionMetric'),
    dict(type='mmsmoke.CounterfactualMetric'),
]
val_cfg = dict()
test_cfg = dict()

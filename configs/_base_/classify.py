# Stage 1: what every CAM classifier's training has in common, whatever the data.
val_evaluator = [
    dict(type='mmsmoke.LabelAccuracy'),
    dict(type='mmsmoke.PseudoLabelMetric'),
]
test_evaluator = [
    dict(type='mmsmoke.LabelAccuracy'),
    dict(type='mmsmoke.PseudoLabelMetric'),
]
val_cfg = dict()
test_cfg = dict()

# Stage 2 without refinement: CAMs above a threshold.
custom_hooks = [dict(type='mmsmoke.PseudoLabelHook', threshold=0.3)]
pseudo_label_evaluator = [
    dict(type='mmsmoke.PseudoLabelMetric'),
    dict(type='mmsmoke.RefinementMetric'),
    dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='pseudo'),
]

# Stage 3: an ordinary mmseg run.
_base_ = './default_runtime.py'

default_scope = 'mmseg'
default_hooks = dict(checkpoint=dict(save_best='seg/image_iou'))
visualizer = dict(type='SegLocalVisualizer', _delete_=True, vis_backends=_base_.vis_backends)
val_evaluator = [
    dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='seg'),
    dict(type='mmsmoke.KnownIoUMetric', iou_metrics=['mIoU']),
]
test_evaluator = [
    dict(type='mmsmoke.PseudoLabelMetric', source='mask', prefix='seg'),
    dict(type='mmsmoke.KnownIoUMetric', iou_metrics=['mIoU']),
    dict(type='mmsmoke.CompanionMetric', source='mask'),
    dict(type='mmsmoke.CounterfactualMetric', source='mask'),
]
tta_model = dict(type='mmsmoke.MeanTTA')
val_cfg = dict()
test_cfg = dict()

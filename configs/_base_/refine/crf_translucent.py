# A dense CRF for smoke that one sees through: weak and near kernels. Its level is the score at
# which a map is as likely background as smoke, somewhat below the threshold that is right for the
# map itself.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.CRFHook', preset='translucent'),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.6),
]

# IRN's dense CRF over hard labels: CAMs above 0.3.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.CRFHook', preset='irn'),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.5),
]

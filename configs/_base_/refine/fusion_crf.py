# Fused layers, then the thesis' dense CRF.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.CAMFusionHook'),
    dict(type='mmsmoke.CRFHook', preset='thesis'),
    *_base_.custom_hooks,
]

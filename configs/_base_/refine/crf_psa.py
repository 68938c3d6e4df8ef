# PSA's dense CRF, with a background score of (1 - cam) ** 4.
_base_ = './threshold.py'

custom_hooks = [dict(type='mmsmoke.CRFHook', preset='psa'), *_base_.custom_hooks]

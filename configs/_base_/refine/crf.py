# The thesis' dense CRF, then a threshold.
_base_ = './threshold.py'

custom_hooks = [dict(type='mmsmoke.CRFHook', preset='thesis'), *_base_.custom_hooks]

# The thesis' dense CRF at half resolution: a quarter of the work.
_base_ = './threshold.py'

custom_hooks = [dict(type='mmsmoke.CRFHook', preset='thesis', half=True), *_base_.custom_hooks]

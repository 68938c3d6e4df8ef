# The thesis' best: its dense CRF, then SAM's mask proposals.
_base_ = './sam.py'

custom_hooks = [dict(type='mmsmoke.CRFHook', preset='thesis'), *_base_.custom_hooks]

# The thesis' walk of two steps. A child names the network.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.AffinityHook', beta=16, log_t=1, power=None),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.3),
]

# IRN: scores without a background walk between boundaries. A child names the network.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.AffinityHook', beta=10, log_t=8, power=None),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.25),
]

# PSA: 256 steps along the affinities; 0.5 is its argmax. A child names the network.
_base_ = './threshold.py'

custom_hooks = [
    dict(type='mmsmoke.AffinityHook', beta=8, log_t=8, power=16),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.5),
]

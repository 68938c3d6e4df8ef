# Labels that PSA's AffinityNet learns from; as masks they have 255 where nothing is certain.
custom_hooks = [
    dict(type='mmsmoke.AffinityLabelHook', low=4, high=32),
    dict(type='mmsmoke.PseudoLabelHook'),
]

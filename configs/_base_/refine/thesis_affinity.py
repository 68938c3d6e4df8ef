# The thesis' walk of two steps.
custom_hooks = [
    dict(
        type='mmsmoke.AffinityHook',
        model=dict(config='affinity/thesis_resnet101_10e_ijmond-512.py'),
        checkpoint='work_dirs/thesis_resnet101_10e_ijmond-512/epoch_10.pth',
        beta=16,
        log_t=1,
        power=None,
    ),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.3),
]

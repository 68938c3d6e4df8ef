# IRN: scores without a background walk between boundaries.
custom_hooks = [
    dict(
        type='mmsmoke.AffinityHook',
        model=dict(config='affinity/irn_resnet50_3e_ijmond-512.py'),
        checkpoint='work_dirs/irn_resnet50_3e_ijmond-512/epoch_3.pth',
        beta=10,
        log_t=8,
        power=None,
    ),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.25),
]

# Labels that IRN's boundary head learns from.
custom_hooks = [
    dict(type='mmsmoke.BoundaryLabelHook', foreground=0.30, background=0.05),
    dict(type='mmsmoke.PseudoLabelHook'),
]

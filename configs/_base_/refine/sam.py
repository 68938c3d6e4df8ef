# Mask proposals of SAM (pip install 'mmsmoke[sam]'), by the thesis' rule and settings.
custom_hooks = [
    dict(
        type='mmsmoke.SAMHook',
        proposals=dict(type='mmsmoke.SAMProposals', checkpoint='checkpoints/sam_vit_h_4b8939.pth'),
    ),
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.3),
]

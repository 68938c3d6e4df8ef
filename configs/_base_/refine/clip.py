# CLIP-ES: CLIP localises what the label says is there. Outside knowledge: report it apart.
clip = dict(
    type='mmsmoke.CLIPHook',
    clip=dict(
        type='mmsmoke.CLIPES',
        checkpoint='checkpoints/ViT-B-16.pt',
        foreground=dict(smoke=['smoke', 'industrial emission plume', 'exhaust fumes']),
        # chimneys and clouds among them: a direct hold on what only comes together with smoke
        background=[
            'sky', 'cloud', 'steam', 'fog', 'chimney', 'factory', 'pipe', 'tree', 'road',
            'water', 'building', 'watermark',
        ],
    ),
)  # fmt: skip
# CLIP-ES' background score is 1 - the best class' score, which is this threshold
custom_hooks = [clip, dict(type='mmsmoke.PseudoLabelHook', threshold=0.5)]

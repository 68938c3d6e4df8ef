# A Conformer of 1.7 million parameters, from scratch: no package has weights for one.
_base_ = [
    '../_base_/models/conformer-small_transcam.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(_delete_=True, embed_dims=96, depths=12, num_heads=4, channel_ratio=0.5),
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    head=dict(in_channels=128, token_channels=96),
)

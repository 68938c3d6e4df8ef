# mmseg's for SegFormer and ViTs: a new head learns ten times as fast, and neither the norms of
# the backbone nor positions decay.
_base_ = './finetune_12e.py'

optim_wrapper = dict(
    optimizer=dict(lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        custom_keys=dict(
            pos_block=dict(decay_mult=0.0),
            pos_embed=dict(decay_mult=0.0),
            cls_token=dict(decay_mult=0.0),
            head=dict(lr_mult=10.0),
        ),
    ),
)

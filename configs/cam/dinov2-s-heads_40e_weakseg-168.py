_base_ = './dinov2-s-frozen_40e_weakseg-168.py'

model = dict(
    head=dict(type='mmsmoke.DiversifiedHead', heads=12),
    aux=[dict(type='mmsmoke.DisagreementLoss', groups=3)],
)
train_dataloader = dict(
    batch_size=96,
    dataset=dict(split=['train', 'unlabelled'], unlabelled=dict(split='unlabelled')),
)
default_hooks = dict(checkpoint=dict(save_best=None))  # which head is good nobody knows yet

# Four heads on a trunk that does not learn, which disagree about images without labels; then
# tools/choose_head.py says which of them sees smoke.
_base_ = './dinov2-s-frozen_40e_smokestack-126.py'

model = dict(
    head=dict(type='mmsmoke.DiversifiedHead', heads=4),
    aux=[dict(type='mmsmoke.DisagreementLoss')],
)
train_dataloader = dict(
    batch_size=96,
    dataset=dict(split=['train', 'unlabelled'], unlabelled=dict(split='unlabelled')),
)
default_hooks = dict(checkpoint=dict(save_best=None))  # which head is good nobody knows yet

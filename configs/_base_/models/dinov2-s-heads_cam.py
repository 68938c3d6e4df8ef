# Four heads on a trunk that does not learn, which disagree about images without labels; then
# tools/choose_head.py says which of them sees smoke.
_base_ = './dinov2-s-frozen_cam.py'

model = dict(
    head=dict(type='mmsmoke.DiversifiedHead', heads=4),
    aux=[dict(type='mmsmoke.DisagreementLoss')],
)

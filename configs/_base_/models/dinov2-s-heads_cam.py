# Three groups of four heads on a trunk that does not learn. Those of a group disagree about images
# without labels; then tools/choose_head.py says which of all sees smoke.
_base_ = './dinov2-s-frozen_cam.py'

model = dict(
    head=dict(type='mmsmoke.DiversifiedHead', heads=12),
    aux=[dict(type='mmsmoke.DisagreementLoss', groups=3)],
)

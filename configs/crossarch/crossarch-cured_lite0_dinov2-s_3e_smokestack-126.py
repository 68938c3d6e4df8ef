# Cured of what always comes together with smoke; docs/cooccurrence.md has the steps before.
_base_ = './crossarch-own_lite0_dinov2-s_3e_smokestack-126.py'

plumes = 'work_dirs/dinov2-s-heads_40e_smokestack-126_labels/scores'
model = dict(
    student=dict(head=dict(pool=0.1)),
    teacher=dict(init_cfg=dict(checkpoint='work_dirs/lite0-cured_3e_smokestack-126/epoch_3.pth')),
)

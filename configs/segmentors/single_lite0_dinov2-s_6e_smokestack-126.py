# The CNN teaches the ViT from the first step on. Train the CNN first:
# configs/cam/lite0_3e_smokestack-126.py
_base_ = './single_dinov2-s_6e_smokestack-126.py'

model = dict(
    classifier=dict(
        _delete_=True,
        config='crossarch/crossarch-own_lite0_dinov2-s_3e_smokestack-126.py',
        student=dict(head=dict(pool=0.1)),
    ),
)

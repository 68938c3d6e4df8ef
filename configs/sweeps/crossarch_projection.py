# What stands between the student's tokens and what they are compared with.
_base_ = '../_base_/sweeps/evidence.py'

variants = dict(**_base_.plain, global_cosine=_base_.teacher)  # a learned 1x1 convolution
for align, kinds in dict(
    read_out=('linear', 'frozen_random'),
    # no identity: the networks differ in width (128 and 96 channels)
    features=('conv1x1', 'linear', 'frozen_random'),
).items():
    for kind in kinds:
        variants[f'{align} {kind}'] = {
            **_base_.teacher,
            'model.align': align,
            'model.projection.kind': kind,
        }
claims = [
    dict(
        claim='a learned projection beats a random one (read-out)',
        more='global_cosine',
        less='read_out frozen_random',
        column='CAM IoU',
    ),
    dict(
        claim='a learned projection beats a random one (features)',
        more='features conv1x1',
        less='features frozen_random',
        column='CAM IoU',
    ),
    dict(
        claim='class maps teach better than features',
        more='global_cosine',
        less='features conv1x1',
        column='CAM IoU',
    ),
]
del align, kinds, kind

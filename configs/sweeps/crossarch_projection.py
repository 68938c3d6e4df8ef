# What stands between the student's tokens and what they are compared with.
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

variants = dict(**_base_.plain)
for align, kinds in dict(
    read_out=('conv1x1', 'linear', 'frozen_random'),
    # both networks are 128 channels wide here, so their features can be compared as they are
    features=('conv1x1', 'linear', 'frozen_random', 'identity'),
).items():
    for kind in kinds:
        variants[f'{align} {kind}'] = {
            **_base_.teacher,
            'model.align': align,
            'model.projection.kind': kind,
        }
del align, kinds, kind

# The thesis' claims about refinement, on students of five seeds (configs/sweeps/bias_curve.py).
_base_ = './smokestack.py'

config = 'configs/pseudo/crossarch_r18-s-pcm_vit-xxs-cls_smokestack-64.py'
data_root = 'data/smokestack-biased-64'
draw = {
    '_delete_': True,
    data_root: dict(preset='biased', size=64, train=1200, val=300, test=300),
}
wanted = (
    *('none', 'multi-scale', 'fusion', 'CRF', 'fusion + CRF', 'AffinityNet', 'CRF + AffinityNet'),
)
rows = {'_delete_': True, **{name: _base_.rows[name] for name in wanted}}
baseline = 'none'
claims = [
    dict(claim='fusion helps', more='fusion', less='none'),
    dict(claim='the CRF helps', more='CRF', less='multi-scale'),
    dict(claim='AffinityNet does not help', more='multi-scale', less='AffinityNet'),
    dict(claim='AffinityNet does not help after the CRF', more='CRF', less='CRF + AffinityNet'),
]
for claim in claims:
    claim['column'] = 'threshold from val'
del claim, wanted

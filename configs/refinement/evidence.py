# The thesis' claims about refinement, on students of five seeds (configs/sweeps/bias_curve.py).
_base_ = './smokestack.py'

config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py'
data_root = 'data/smokestack-biased-64'
draw = {
    '_delete_': True,
    data_root: dict(preset='biased', size=64, train=1200, val=300, test=300),
}
# of four blocks, those at the same depths as the thesis' four of twelve
fusion = dict(type='mmsmoke.CAMFusionHook', layers=(-2, -1))
wanted = ('none', 'multi-scale', 'CRF', 'AffinityNet', 'CRF + AffinityNet')
rows = {
    '_delete_': True,
    **{name: _base_.rows[name] for name in wanted},
    'fusion': dict(refiners=[fusion]),
    'fusion + CRF': dict(options=_base_.views, refiners=[fusion, _base_.crf]),
}
baseline = 'none'
claims = [
    dict(claim='fusion helps', more='fusion', less='none'),
    dict(claim='several scales help', more='multi-scale', less='none'),
    dict(claim='the CRF helps', more='CRF', less='multi-scale'),
    dict(claim='AffinityNet helps', more='AffinityNet', less='multi-scale'),
    dict(claim='AffinityNet helps after the CRF', more='CRF + AffinityNet', less='CRF'),
]
for claim in claims:
    claim['column'] = 'threshold from val'
del claim, wanted

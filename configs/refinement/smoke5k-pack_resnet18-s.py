# Does a CRF help the maps that the pack's pipeline labels with? Classifiers of its three seeds.
_base_ = './smoke5k-pack.py'

config = 'configs/cam/resnet18-s_12e_weakseg-112.py'
rows = {'_delete_': True, 'none': dict(), 'CRF': dict(refiners=[_base_.crf])}
baseline = 'none'
claims = [dict(claim='the CRF helps', more='CRF', less='none', column='threshold from val')]

# The thesis' T1 + T2: also windows of the panoramas that it tests on, with smoke and without.
# What is tested was trained on; see ijmond-512.py for a protocol that keeps them apart.
_base_ = './ijmond-thesis-512.py'

t2 = dict(
    type='mmsmoke.IJmondDataset',
    data_root=_base_.test_root,
    split=['test', 'clear'],
    filter_cfg=dict(t2='train'),
    pipeline=_base_.train_pipeline,
)
train_dataloader = dict(dataset=dict(datasets=[*_base_.t1, t2]))

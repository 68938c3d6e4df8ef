_base_ = [
    '../_base_/models/affinity_lite0.py',
    '../_base_/datasets/weakseg-168_affinity.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/affinity_runtime.py',
]

data_root = 'data/smoke5k-pack'
train_dataloader = dict(dataset=dict(data_root=data_root))

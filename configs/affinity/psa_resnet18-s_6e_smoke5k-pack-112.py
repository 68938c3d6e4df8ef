_base_ = [
    '../_base_/models/affinity_resnet18-s.py',
    '../_base_/datasets/smoke5k-pack-112_affinity.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/affinity_runtime.py',
]

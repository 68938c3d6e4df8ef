_base_ = [
    '../_base_/models/affinity_resnet50.py',
    '../_base_/datasets/ijmond-512_affinity.py',
    '../_base_/schedules/psa_8e.py',
    '../_base_/affinity_runtime.py',
]

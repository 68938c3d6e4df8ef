_base_ = [
    '../_base_/models/setr_thesis.py',
    '../_base_/datasets/smokestack_seg.py',
    '../_base_/schedules/setr-thesis_20e.py',
    '../_base_/segment_runtime.py',
]

model = dict(backbone=dict(img_size=128))

_base_ = [
    '../_base_/models/segformer_b0.py',
    '../_base_/datasets/smokestack_seg.py',
    '../_base_/schedules/segformer_12e.py',
    '../_base_/segment_runtime.py',
]

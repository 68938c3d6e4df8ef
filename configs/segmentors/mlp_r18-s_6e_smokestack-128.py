_base_ = [
    '../_base_/models/mlp_r18-s.py',
    '../_base_/datasets/smokestack_seg.py',
    '../_base_/schedules/adamw_6e.py',
    '../_base_/segment_runtime.py',
]

_base_ = [
    '../_base_/models/mlp_lite0.py',
    '../_base_/datasets/smokestack_seg.py',
    '../_base_/schedules/packaged_6e.py',
    '../_base_/segment_runtime.py',
]

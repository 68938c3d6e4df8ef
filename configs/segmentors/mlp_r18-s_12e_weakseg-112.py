_base_ = [
    '../_base_/models/mlp_r18-s.py',
    '../_base_/datasets/weakseg-112_seg.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/segment_runtime.py',
]

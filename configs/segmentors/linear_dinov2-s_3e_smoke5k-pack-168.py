_base_ = [
    '../_base_/models/linear_dinov2-s.py',
    '../_base_/datasets/smoke5k-pack-168_seg.py',
    '../_base_/schedules/packaged-vit_3e.py',
    '../_base_/segment_runtime.py',
]

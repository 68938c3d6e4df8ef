_base_ = [
    '../_base_/models/sam_vit-b.py',
    '../_base_/datasets/ijmond-1024_seg.py',
    '../_base_/schedules/adam_10e.py',
    '../_base_/segment_runtime.py',
]

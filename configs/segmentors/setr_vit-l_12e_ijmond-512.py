_base_ = [
    '../_base_/models/setr_vit-l.py',
    '../_base_/datasets/ijmond-512_seg.py',
    '../_base_/schedules/setr_12e.py',
    '../_base_/segment_runtime.py',
]

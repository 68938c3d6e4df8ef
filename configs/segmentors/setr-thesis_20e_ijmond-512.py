_base_ = [
    '../_base_/models/setr_thesis.py',
    '../_base_/datasets/ijmond-512_seg.py',
    '../_base_/schedules/setr-thesis_20e.py',
    '../_base_/segment_runtime.py',
]

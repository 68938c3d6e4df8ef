_base_ = [
    '../_base_/models/deeplabv3plus_r101.py',
    '../_base_/datasets/ijmond-512_seg.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/segment_runtime.py',
]

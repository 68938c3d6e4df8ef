_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/smoke5k-512_seg.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/segment_runtime.py',
]

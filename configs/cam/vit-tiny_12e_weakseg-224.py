_base_ = [
    '../_base_/models/vit-tiny_cam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/classify_runtime.py',
]

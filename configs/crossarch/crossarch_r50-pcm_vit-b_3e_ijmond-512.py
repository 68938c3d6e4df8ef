# The thesis' networks and schedule on the clean protocol.
# Train the teacher first: python tools/train.py configs/cam/resnet50-pcm_2e_ijmond-512.py
_base_ = [
    '../_base_/crossarch/repro_r50-pcm_vit-b.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

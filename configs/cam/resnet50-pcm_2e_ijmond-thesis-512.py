_base_ = [
    '../_base_/models/resnet50-pcm_cam.py',
    '../_base_/datasets/ijmond-thesis-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

train_cfg = dict(max_epochs=2)

# The thesis' teacher on VOC, for as many epochs as its author's script has there.
_base_ = [
    '../_base_/models/resnet50-pcm_cam.py',
    '../_base_/datasets/voc-448.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(head=dict(num_classes=20))
train_cfg = dict(max_epochs=4)

# IRN's classifier on COCO 2014, at the size of the data set's config.
_base_ = [
    '../_base_/models/resnet50-irn_cam.py',
    '../_base_/datasets/coco14-448.py',
    '../_base_/schedules/irn_5e.py',
    '../_base_/classify_runtime.py',
]

loss = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1 / 80)
model = dict(head=dict(num_classes=80, loss=loss))

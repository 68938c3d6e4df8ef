# As published: --cfg-options size=448 model.ratio=0.3
_base_ = [
    '../_base_/seam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/seam_8e.py',
    '../_base_/classify_runtime.py',
]

model = dict(student=dict(config='_base_/models/resnet50-seam_cam.py'))
train_dataloader = dict(batch_size=8)

# The thesis' networks on VOC, with the rate and length of its author's script; no results of it
# were published.
# Train the teacher first: python tools/train.py configs/cam/resnet50-pcm_4e_voc-448.py
_base_ = [
    '../_base_/crossarch/repro.py',
    '../_base_/datasets/voc-448.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(
    student=dict(
        config='cam/vit-base-cls_3e_ijmond-512.py',
        backbone=dict(img_size=448),
        head=dict(num_classes=20),
    ),
    teacher=dict(
        config='cam/resnet50-pcm_4e_voc-448.py',
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/resnet50-pcm_4e_voc-448/epoch_4.pth'
        ),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=5e-6))
train_cfg = dict(max_epochs=10)

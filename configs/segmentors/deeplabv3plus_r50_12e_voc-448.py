# Another network: another file of _base_/models in the place of the first. The literature counts
# the mean over background and classes.
_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/voc-448.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/segment_runtime.py',
]

model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet50-irn_5e_voc-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)
default_hooks = dict(checkpoint=dict(save_best='seg/miou'))

_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/resnet50_12e_weakseg-224_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)

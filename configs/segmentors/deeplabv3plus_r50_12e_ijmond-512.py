_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/finetune_12e.py',
    '../_base_/segment_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_labels/masks',
        pipeline=_base_.seg_train_pipeline,
    ),
)

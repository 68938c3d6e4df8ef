_base_ = [
    '../_base_/models/affinity_resnet101_thesis.py',
    '../_base_/datasets/ijmond-512_affinity.py',
    '../_base_/schedules/adam_10e.py',
    '../_base_/affinity_runtime.py',
]

pipeline = _base_.affinity_train_pipeline
del pipeline[3:6]  # neither crop nor flip nor jitter
train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_thesis-labels_ijmond-512/masks',
        pipeline=pipeline,
    )
)
del pipeline

_base_ = [
    '../_base_/models/affinity_resnet50.py',
    '../_base_/datasets/ijmond-512.py',
    '../_base_/schedules/psa_8e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        seg_map_dir='work_dirs/crossarch_r50-pcm_vit-b_3e_ijmond-512_psa-labels/masks',
        pipeline=_base_.affinity_train_pipeline,
    ),
)
val_dataloader = None
test_dataloader = None
# no label tells which affinities are right: nothing is validated, and the last epoch counts
default_hooks = dict(checkpoint=dict(save_best=None))

# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = './weakseg-224_seg.py'

size = 168
seg_train_pipeline = _base_.seg_train_pipeline
seg_train_pipeline[2]['scale'] = (size, size)
seg_train_pipeline[3]['crop_size'] = (size, size)
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
tta_pipeline = [*test_pipeline[:2], _base_.tta_views]
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        seg_map_dir='work_dirs/crossarch-own_lite0_dinov2-s_weakseg-168/masks',
        pipeline=seg_train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

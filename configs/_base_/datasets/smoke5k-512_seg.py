# The view of the segmentor (stage 3): masks to learn from are pseudo labels, of a classifier that
# learned elsewhere, since SMOKE5K has no image without smoke.
_base_ = './weakseg-224_seg.py'

data_root = 'data/smoke5k'
size = 512
seg_train_pipeline = _base_.seg_train_pipeline
seg_train_pipeline[2]['scale'] = (size, size)
seg_train_pipeline[3]['crop_size'] = (size, size)
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
tta_pipeline = [*test_pipeline[:2], _base_.tta_views]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        data_root=data_root,
        seg_map_dir='work_dirs/resnet50_crf_weakseg-224/masks',
        pipeline=seg_train_pipeline,
    ),
)
val_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(data_root=data_root, pipeline=test_pipeline))

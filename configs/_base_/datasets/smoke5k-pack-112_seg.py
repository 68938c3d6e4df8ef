# The view of the segmentor (stage 3): masks to learn from are pseudo labels.
_base_ = './weakseg-224_seg.py'

data_root = 'data/smoke5k-pack'
size = 112
seg_train_pipeline = _base_.seg_train_pipeline
seg_train_pipeline[2]['scale'] = (size, size)
seg_train_pipeline[3]['crop_size'] = (size, size)
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (size, size)
tta_pipeline = [*test_pipeline[:2], _base_.tta_views]
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        seg_map_dir='work_dirs/resnet18-s_smoke5k-pack-112/masks',
        pipeline=seg_train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))

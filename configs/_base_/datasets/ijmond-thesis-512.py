# IJmond as in the thesis: T1, 2,488 images with labels, of three sources. Which images they were is
# not known; these are as many, evenly spread over what the converters made:
#   ijmond_videos.py METADATA --clips DIR, smoke5k.py, rise.py METADATA --clips DIR
#   ijmond_seg.py FOLDER --protocol thesis
# The thesis has no validation images. Here the last epoch counts; labels of held-out recordings
# tell how the training goes.
_base_ = './ijmond-512.py'

test_root = 'data/ijmond-thesis'
source = dict(split='train', pipeline=_base_.train_pipeline)
videos = dict(type='mmsmoke.IJmondDataset', data_root='data/ijmond-videos', **source)
t1 = [
    dict(**videos, filter_cfg=dict(smoke=1), num_images=1537),
    dict(**videos, filter_cfg=dict(smoke=0), num_images=825),
    dict(
        type='mmsmoke.Smoke5KDataset',
        data_root='data/smoke5k',
        synthetic=False,
        filter_cfg=dict(smoke=1),
        num_images=19,
        **source,
    ),
    dict(
        type='mmsmoke.RISEDataset',
        data_root='data/rise',
        filter_cfg=dict(smoke=0),
        num_images=107,
        **source,
    ),
]
# T2: also windows of the panoramas that are tested, with smoke and without. What is tested was
# trained on then; see ijmond-512.py for a protocol that keeps them apart.
t2 = dict(
    type='mmsmoke.IJmondDataset',
    data_root=test_root,
    split=['test', 'clear'],
    filter_cfg=dict(t2='train'),
    pipeline=_base_.train_pipeline,
)
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=t1))
val_dataloader = dict(dataset=dict(data_root='data/ijmond-videos'))
test_dataloader = dict(dataset=dict(data_root=test_root, num_images=2180))

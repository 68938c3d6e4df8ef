# What tools/test.py --tta shows a segmentor of each image, after the steps of its test pipeline
# that load and resize it: three scales, mirrored and not.
tta_views = dict(
    type='mmcv.TestTimeAug',
    transforms=[
        [
            dict(type='mmcv.Resize', scale_factor=scale, keep_ratio=True)
            for scale in (0.75, 1.0, 1.25)
        ],
        [dict(type='mmcv.RandomFlip', prob=0.0), dict(type='mmcv.RandomFlip', prob=1.0)],
        [dict(type='mmsmoke.LoadMask')],
        [dict(type='mmsmoke.LoadContext')],
        [dict(type='mmsmoke.PackWeakSegInputs')],
    ],
)

# What the sweeps with weights from packages have in common. A child names the configs of the four
# networks and the data.
config = 'own_maps'
seeds = [0, 1, 2, 3, 4]
options = {
    # the classifier that somebody without any mask would keep
    'default_hooks.checkpoint.save_best': 'label/accuracy',
    'train_cfg.val_interval': 3,
}
main_rows = dict(
    lite0=dict(config='lite0'),
    vit=dict(config='vit'),
    own_maps={'model.teacher.init_cfg.checkpoint': '{best:lite0}'},
)
# a segmentor of six epochs; pictures of drawn scenes are read faster than worker processes hand
# them over
segmentor = {
    'default_hooks.checkpoint.save_best': 'seg/image_iou',
    'train_cfg.val_interval': 6,
    'train_dataloader': dict(num_workers=0, persistent_workers=False),
    'val_dataloader': dict(num_workers=0, persistent_workers=False),
    'test_dataloader.num_workers': 0,
}
# changes to a sweep of drawn scenes, for its scale smoke5k: photographs at 168 px
photographs = dict(
    configs=dict(
        lite0='configs/cam/lite0_3e_weakseg-168.py',
        vit='configs/cam/dinov2-s_3e_weakseg-168.py',
        own_maps='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py',
    ),
    work_dir='work_dirs/packaged_smoke5k',
    draw=dict(_delete_=True),
    options={'_delete_': True, **options, 'size': 168, 'data_root': 'data/smoke5k-pack'},
    splits=['val', 'test'],
)
splits = ['val', 'test']
threshold_split = 'val'
baseline = 'vit'

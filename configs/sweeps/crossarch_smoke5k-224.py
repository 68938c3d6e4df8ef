# On a GPU: larger networks and pictures, from scratch. The pack in data/smoke5k-pack.
_base_ = './crossarch_smoke5k.py'

own = 'configs/crossarch/crossarch-own_r50-pcm_deit-s_scratch-40e_weakseg-224.py'
config = 'configs/crossarch/crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py'
work_dir = 'work_dirs/crossarch_smoke5k-224'
options = {
    'data_root': 'data/smoke5k-pack',
    'train_dataloader.batch_size': 64,
    'train_dataloader.num_workers': 8,
    'train_cfg.val_interval': 4,
}
variants = dict(
    cnn=dict(config='configs/cam/resnet50_scratch-40e_weakseg-224.py'),
    cnn_pcm=dict(config='configs/cam/resnet50-pcm_scratch-40e_weakseg-224.py'),
    vit=dict(config='configs/cam/deit-small-cls_scratch-40e_weakseg-224.py'),
    vit_patches=dict(config='configs/cam/vit-small_scratch-40e_weakseg-224.py'),
    own_maps=dict(config=own),
    own_maps_uncentred=dict(config=own),
    vit_b={
        'config': 'configs/cam/deit-small-cls_scratch-40e_weakseg-224.py',
        'model.backbone.arch': 'base',
        'model.head.in_channels': 768,
    },
    global_cosine_vit_b={
        **_base_.teacher,
        'model.student.backbone.arch': 'base',
        'model.student.head.in_channels': 768,
    },
)

# On a GPU: ResNet-50, DeiT-S and ViT-B at 224 pixels, from scratch.
own = 'configs/crossarch/crossarch-own_r50-pcm_deit-s_scratch-40e_weakseg-224.py'
vit = 'configs/cam/deit-small-cls_scratch-40e_weakseg-224.py'
large = dict(
    config='configs/crossarch/crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py',
    options={
        'train_dataloader.batch_size': 64,
        'train_dataloader.num_workers': 8,
        'train_cfg.val_interval': 4,
    },
    variants=dict(
        cnn=dict(config='configs/cam/resnet50_scratch-40e_weakseg-224.py'),
        cnn_pcm=dict(config='configs/cam/resnet50-pcm_scratch-40e_weakseg-224.py'),
        vit=dict(config=vit),
        vit_patches=dict(config='configs/cam/vit-small_scratch-40e_weakseg-224.py'),
        own_maps=dict(config=own),
        own_maps_uncentred=dict(config=own),
        vit_b={'config': vit, 'model.backbone.arch': 'base', 'model.head.in_channels': 768},
        global_cosine_vit_b={
            'model.teacher.init_cfg.checkpoint': '{best:cnn_pcm}',
            'model.student.backbone.arch': 'base',
            'model.student.head.in_channels': 768,
        },
    ),
)
del own, vit

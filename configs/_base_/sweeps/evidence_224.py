# The evidence on a GPU: ResNet-50 and DeiT-S at 224 pixels, from scratch.
large = dict(
    configs=dict(
        distiller='configs/crossarch/crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py',
        own_maps='configs/crossarch/crossarch-own_r50-pcm_deit-s_scratch-40e_weakseg-224.py',
        cnn_pcm='configs/cam/resnet50-pcm_scratch-40e_weakseg-224.py',
        vit='configs/cam/deit-small-cls_scratch-40e_weakseg-224.py',
    ),
    work_dir='work_dirs/evidence-224',
    data_root='data/smokestack-biased-224-3000',
    scenes=dict(size=224, train=3000, val=300, test=300),
    draw={
        '_delete_': True,
        'data/smokestack-biased-224-3000': dict(
            preset='biased', size=224, train=3000, val=300, test=300
        ),
        'data/cooccurrence-224': dict(
            preset='easy', size=224, train=0, val=300, test=300, pairs=200
        ),
    },
    options={
        'data_root': 'data/smokestack-biased-224-3000',
        'default_hooks.checkpoint.save_best': 'label/accuracy',
        'train_cfg.val_interval': 4,
        'train_dataloader.batch_size': 64,
        'train_dataloader.num_workers': 8,
        'test_dataloader.dataset.data_root': 'data/cooccurrence-224',
    },
)

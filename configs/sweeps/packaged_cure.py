# What keeps classifiers from reading the chimney, with weights from packages, on drawn scenes: each
# remedy alone, what an oracle could do, and whether a cured teacher passes its cure on. Shares its
# runs with packaged_smokestack.
_base_ = './packaged_smokestack.py'

part = {'train_dataloader.dataset.portion': (0, 0.8)}  # the rest is for the retraining of heads
taught = 'model.teacher.init_cfg.checkpoint'
plumes = {
    'train_dataloader.dataset.pipeline': [
        dict(type='mmsmoke.LoadImage'),
        dict(
            type='mmsmoke.PlumeTransplant', data_root=_base_.data_root, scores='{scores:own_maps}'
        ),
        dict(type='mmcv.Resize', scale=(126, 126)),
        dict(type='mmcv.RandomFlip', prob=0.5),
        dict(type='mmsmoke.PackWeakSegInputs'),
    ]
}
errors = {
    'train_dataloader.sampler': dict(
        _delete_=True, type='mmsmoke.WeightedSampler', weights='{errors:lite0_early:20}'
    )
}
variants = dict(
    # heads of features that stay, with the images that the network has not seen
    lite0_part={'config': 'lite0', **part},
    vit_part={'config': 'vit', **part},
    own_maps_part={**part, taught: '{best:lite0_part}'},
    # weights for the images that the network calls wrong after one epoch
    lite0_early={'config': 'lite0', 'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1},
    lite0_jtt={'config': 'lite0', **errors},
    vit_jtt={'config': 'vit', **errors},
    own_maps_jtt={**errors, taught: '{best:lite0}'},
    # plumes put elsewhere, plumes taken away
    lite0_plumes={'config': 'lite0', **plumes},
    vit_plumes={'config': 'vit', **plumes},
    own_maps_plumes={**plumes, taught: '{best:lite0}'},
    # a cured teacher, a student that sees the images as they are; and both cured
    taught_by_plumes={taught: '{best:lite0_plumes}'},
    taught_by_plumes_plumes={**plumes, taught: '{best:lite0_plumes}'},
)
for name in ('lite0', 'vit', 'own_maps'):
    for method in ('plain', 'afr', 'lfr', 'dfr'):
        variants[f'{name}_{method}'] = dict(trained_as=f'{name}_part', retrain=method)
for mode in ('and', 'or', 'mean'):
    variants[f'own_maps_{mode}'] = {'trained_as': 'own_maps', 'model.combine': mode}
claims = [
    dict(
        claim=f'{remedy} cures the {network}',
        more=before,
        less=after,
        column='chimney called smoke',
    )
    for remedy, network, before, after in (
        ('a retrained head (AFR)', 'CNN', 'lite0_part', 'lite0_afr'),
        ('a retrained head (AFR)', 'ViT', 'vit_part', 'vit_afr'),
        ('a retrained head (AFR)', 'taught ViT', 'own_maps_part', 'own_maps_afr'),
        ('JTT', 'CNN', 'lite0', 'lite0_jtt'),
        ('JTT', 'ViT', 'vit', 'vit_jtt'),
        ('transplanting plumes', 'CNN', 'lite0', 'lite0_plumes'),
        ('transplanting plumes', 'ViT', 'vit', 'vit_plumes'),
        ('transplanting plumes', 'taught ViT', 'own_maps', 'own_maps_plumes'),
        ('a cured teacher', 'student', 'own_maps', 'taught_by_plumes'),
    )
]
del part, taught, plumes, errors, name, method, mode

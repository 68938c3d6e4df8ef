# The method with weights from packages, on photographs: the three main rows and the cured ViT, as
# trained and as in use, which is larger and with mirror images.
_base_ = '../_base_/sweeps/packaged.py'

configs = dict(
    **_base_.photographs.configs, frozen='configs/cam/dinov2-s-frozen_40e_weakseg-168.py'
)
work_dir = _base_.photographs.work_dir
options = dict(data_root='data/smoke5k-pack')
views = dict(recipe='acr')
larger, moved = dict(size=224), dict(plumes='{scores:frozen}')
pasted = {'plumes.scores': '{scores:own_maps}', 'plumes.prob': (0.5, 0)}
variants = dict(
    **_base_.main_rows,
    # a head on a trunk that does not learn, and networks that learn from the plumes that it finds
    frozen={'config': 'frozen', 'train_cfg.val_interval': 40},
    cured={'config': 'vit', 'model.head.pool': 0.1, **moved},
    lite0_cured={'config': 'lite0', **moved},
    crossarch_cured={
        'model.teacher.init_cfg.checkpoint': '{best:lite0_cured}',
        'model.student.head.pool': 0.1,
        **moved,
    },
    # plumes that the taught ViT finds are put into clear images; none is taken away
    lite0_pasted={'config': 'lite0', **pasted},
    pasted={'config': 'vit', 'model.head.pool': 0.1, **pasted},
    own_maps_pasted={**_base_.main_rows['own_maps'], **pasted},
    lite0_224={'trained_as': 'lite0', 'model.views': views, **larger},
    vit_224={'trained_as': 'vit', 'model.views': views, **larger},
    own_maps_224={'trained_as': 'own_maps', 'model.student.views': views, **larger},
    cured_224={'trained_as': 'cured', 'model.views': views, **larger},
)
columns = [
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy', 'test', 'label/accuracy'),
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU', 'test', 'cam/image_iou'),
    ('oracle', 'test', 'cam/image_iou_oracle'),
    ('precision', 'test', 'cam/precision'),
    ('false alarms', 'test', 'deployed/false_images'),
]
claims = [
    dict(claim='the student beats its teacher', more='own_maps', less='lite0', column='CAM IoU'),
    dict(claim='the student beats the plain ViT', more='own_maps', less='vit', column='CAM IoU'),
    dict(
        claim='the student is the better classifier than its teacher',
        more='own_maps',
        less='lite0',
        column='accuracy',
    ),
    dict(
        claim='the student beats its teacher, as in use',
        more='own_maps_224',
        less='lite0_224',
        column='CAM IoU',
    ),
    dict(claim='the cured ViT makes better maps', more='cured', less='vit', column='CAM IoU'),
    dict(
        claim='the cured ViT makes better maps than the taught one',
        more='cured',
        less='own_maps',
        column='CAM IoU',
    ),
    dict(
        claim='pasted plumes cost the CNN accuracy',
        more='lite0',
        less='lite0_pasted',
        column='accuracy',
    ),
    *(
        dict(
            claim='pasted plumes cost the taught ViT something',
            more='own_maps',
            less='own_maps_pasted',
            column=column,
        )
        for column in ('accuracy', 'CAM IoU')
    ),
]
del moved, pasted

# The method with weights from packages, on photographs: the three main rows, and how they are read.
config = 'configs/crossarch/crossarch-own_lite0_dinov2-s_3e_smoke5k-pack-168.py'
work_dir = 'work_dirs/packaged_smoke5k'
seeds = [0, 1, 2, 3, 4]
options = {
    # the classifier that somebody without any mask would keep
    'default_hooks.checkpoint.save_best': 'label/accuracy',
    'train_cfg.val_interval': 3,
}
# as in use: larger pictures, and their mirror images
views = dict(recipe='acr')
larger = {'test_dataloader.dataset.pipeline.1.scale': (224, 224)}
teacher = {'model.teacher.init_cfg.checkpoint': '{best:lite0}'}
variants = dict(
    lite0=dict(config='configs/cam/lite0_3e_smoke5k-pack-168.py'),
    vit=dict(config='configs/cam/dinov2-s_3e_smoke5k-pack-168.py'),
    own_maps=teacher,
    lite0_224={'trained_as': 'lite0', 'model.views': views, **larger},
    vit_224={'trained_as': 'vit', 'model.views': views, **larger},
    own_maps_224={'trained_as': 'own_maps', 'model.student.views': views, **larger},
)

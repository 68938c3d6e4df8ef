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
splits = ['val', 'test']
threshold_split = 'val'
baseline = 'vit'

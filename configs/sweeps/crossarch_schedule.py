# Twice the epochs: does the transfer help, or does it only make the student learn faster?
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

vit = dict(config='configs/cam/vit-xs-cls_12e_smokestack-128.py')
vit_patches = dict(config='configs/cam/vit-xs_12e_smokestack-128.py')
double = {'train_cfg.max_epochs': 24, 'param_scheduler.1.end': 24}
variants = {
    **_base_.plain,
    'vit': vit,
    'vit_24e': {**vit, **double},
    'vit_patches': vit_patches,
    'vit_patches_24e': {**vit_patches, **double},
    'global_cosine': _base_.teacher,
    'global_cosine_24e': {**_base_.teacher, **double},
    'own_maps': _base_.own_maps,
    'own_maps_24e': {**_base_.own_maps, **double},
}

# How large the student is, and how long it learns: does the transfer help, or does it only make the
# student learn faster?
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

variants = dict(
    **_base_.plain,
    vit=dict(config='configs/cam/vit-xs-cls_12e_smokestack-128.py'),  # 128 x 6
    global_cosine=_base_.teacher,
)
for width, depth in ((64, 6), (128, 3), (128, 12), (256, 6)):
    size = {
        'backbone.arch.embed_dims': width,
        'backbone.arch.feedforward_channels': 4 * width,
        'backbone.arch.num_layers': depth,
        'head.in_channels': width,
    }
    variants[f'{width} x {depth}'] = {
        'config': 'configs/cam/vit-xs-cls_12e_smokestack-128.py',
        **{f'model.{key}': value for key, value in size.items()},
    }
    variants[f'{width} x {depth}, taught'] = {
        **_base_.teacher,
        **{f'model.student.{key}': value for key, value in size.items()},
    }
vit_patches = dict(config='configs/cam/vit-xs_12e_smokestack-128.py')
double = {'train_cfg.max_epochs': 24, 'param_scheduler.1.end': 24}
variants |= {
    'vit_24e': {**variants['vit'], **double},
    'vit_patches': vit_patches,
    'vit_patches_24e': {**vit_patches, **double},
    'global_cosine_24e': {**_base_.teacher, **double},
    'own_maps': _base_.own_maps,
    'own_maps_24e': {**_base_.own_maps, **double},
}
del width, depth, size, vit_patches, double

# How large the student is, with and without a teacher.
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
del width, depth, size

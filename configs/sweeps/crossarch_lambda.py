# The weight of the transfer loss: the thesis' values, and two beyond.
_base_ = '../_base_/sweeps/evidence.py'

variants = dict(**_base_.plain, global_cosine=_base_.teacher)  # whose lambda is 1
for weight in (0.3, 0.5, 0.8, 1.3, 1.5, 3.0, 10.0):
    variants[f'lambda {weight:g}'] = {**_base_.teacher, 'model.transfer_loss.loss_weight': weight}
variants['own_maps'] = _base_.own_maps
for weight in (3.0, 10.0):
    changes = {'model.transfer_loss.loss_weight': weight}
    variants[f'own_maps, lambda {weight:g}'] = {**_base_.own_maps, **changes}
claims = [
    dict(claim='lambda 1 beats 0.3', more='global_cosine', less='lambda 0.3', column='CAM IoU'),
    dict(claim='lambda 1 beats 1.5', more='global_cosine', less='lambda 1.5', column='CAM IoU'),
    dict(claim='lambda 10 beats 1', more='lambda 10', less='global_cosine', column='CAM IoU'),
    dict(
        claim='aligning its own maps beats the read-out',
        more='own_maps',
        less='global_cosine',
        column='CAM IoU',
    ),
]
curves = dict(
    x='lambda',
    log_x=True,
    lines={
        'read-out (thesis)': {
            '1': 'global_cosine',
            **{f'{weight:g}': f'lambda {weight:g}' for weight in (0.3, 0.5, 0.8, 1.3, 1.5, 3, 10)},
        },
        'own maps': {'1': 'own_maps', '3': 'own_maps, lambda 3', '10': 'own_maps, lambda 10'},
    },
)
del weight, changes

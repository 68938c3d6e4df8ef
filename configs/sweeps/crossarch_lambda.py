# The weight of the transfer loss: the thesis' values, and two beyond.
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

variants = dict(**_base_.plain, global_cosine=_base_.teacher)  # whose lambda is 1
for weight in (0.3, 0.5, 0.8, 1.3, 1.5, 3.0, 10.0):
    variants[f'lambda {weight}'] = {**_base_.teacher, 'model.transfer_loss.loss_weight': weight}
variants['own_maps'] = _base_.own_maps
for weight in (3.0, 10.0):
    changes = {'model.transfer_loss.loss_weight': weight}
    variants[f'own_maps, lambda {weight}'] = {**_base_.own_maps, **changes}
del weight, changes

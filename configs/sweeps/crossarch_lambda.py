# The weight of the transfer loss.
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

variants = dict(**_base_.plain)
for weight in (0.3, 0.5, 0.8, 1.0, 1.3, 1.5):
    variants[f'lambda {weight}'] = {**_base_.teacher, 'model.transfer_loss.loss_weight': weight}
del weight

# Paradigm, level and metric of the transfer loss, as in the thesis' table.
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

paradigms = dict(
    teacher_student=_base_.teacher,
    co_training=_base_.co_training,
)
variants = dict(**_base_.plain)
for paradigm, start in paradigms.items():
    for level in ('global', 'spatial', 'channel'):
        for metric in ('cosine', 'l1', 'l2'):
            variants[f'{paradigm} {level} {metric}'] = {
                **start,
                'model.transfer_loss.type': 'mmsmoke.TransferLoss',
                'model.transfer_loss.level': level,
                'model.transfer_loss.metric': metric,
            }
del paradigm, start, level, metric

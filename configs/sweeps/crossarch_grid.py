# Paradigm, level and metric of the transfer loss, as in the thesis' table. Without spatial L1,
# which is global L1: the mean over positions of the mean over channels is the mean.
_base_ = '../_base_/sweeps/evidence.py'

variants = dict(**_base_.plain)
for prefix, start in (('', _base_.teacher), ('co_', _base_.co_training)):
    for level in ('global', 'spatial', 'channel'):
        for metric in ('cosine', 'l1', 'l2') if level != 'spatial' else ('cosine', 'l2'):
            variants[f'{prefix}{level}_{metric}'] = {
                **start,
                'model.transfer_loss.type': 'mmsmoke.TransferLoss',
                'model.transfer_loss.level': level,
                'model.transfer_loss.metric': metric,
            }
    variants[f'{prefix}global_cosine'] = start  # the same, and shared with the other sweeps
taught = [name for name in variants if '_' in name and name[:2] not in ('co', 'cn')]
claims = [
    dict(
        claim='teacher-student beats co-training, mean over the grid',
        more=taught,
        less=[f'co_{name}' for name in taught],
    ),
    dict(
        claim='teacher-student beats co-training, global cosine',
        more='global_cosine',
        less='co_global_cosine',
    ),
]
for other, metrics in (('spatial', ('cosine', 'l2')), ('channel', ('cosine', 'l1', 'l2'))):
    claims.append(
        dict(
            claim=f'global beats {other}, mean over {", ".join(metrics)}',
            more=[f'global_{metric}' for metric in metrics],
            less=[f'{other}_{metric}' for metric in metrics],
        )
    )
claims += [
    dict(claim='cosine beats L1 (global)', more='global_cosine', less='global_l1'),
    dict(claim='cosine beats L2 (global)', more='global_cosine', less='global_l2'),
    dict(claim='the student beats the plain ViT', more='global_cosine', less='vit'),
    dict(claim='the student beats its teacher', more='global_cosine', less='cnn_pcm'),
]
for claim in claims:
    claim['column'] = 'CAM IoU'
claims += [
    dict(
        claim='the student is the better classifier than its teacher',
        more='global_cosine',
        less='cnn_pcm',
        column='accuracy',
    ),
    dict(
        claim='the student is less often fooled by chimneys than its teacher',
        more='cnn_pcm',
        less='global_cosine',
        column='chimney called smoke',
    ),
]
del prefix, start, level, metric, metrics, taught, other, claim

# The IoU's own surrogate beside cross-entropy.
with_lovasz = [
    dict(type='CrossEntropyLoss', avg_non_ignore=True),
    dict(type='LovaszLoss', reduction='none', loss_name='loss_lovasz'),
]

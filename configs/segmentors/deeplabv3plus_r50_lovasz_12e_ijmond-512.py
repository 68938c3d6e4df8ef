# The IoU's own surrogate beside cross-entropy.
_base_ = './deeplabv3plus_r50_12e_ijmond-512.py'

loss_decode = [
    dict(type='CrossEntropyLoss', avg_non_ignore=True),
    dict(type='LovaszLoss', reduction='none', loss_name='loss_lovasz'),
]
model = dict(decode_head=dict(loss_decode=loss_decode))
del loss_decode

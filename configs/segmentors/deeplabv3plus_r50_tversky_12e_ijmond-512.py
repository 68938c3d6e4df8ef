# Tversky of the smoke alone, with more weight on what is missed (beta) than on false alarms
# (alpha), beside cross-entropy. Averaged over both classes, the two weights would cancel out.
_base_ = './deeplabv3plus_r50_12e_ijmond-512.py'

loss_decode = [
    dict(type='CrossEntropyLoss', avg_non_ignore=True),
    dict(
        type='TverskyLoss',
        alpha=0.3,
        beta=0.7,
        class_weight=[0.0, 2.0],
        loss_name='loss_tversky',
    ),
]
model = dict(decode_head=dict(loss_decode=loss_decode))
del loss_decode

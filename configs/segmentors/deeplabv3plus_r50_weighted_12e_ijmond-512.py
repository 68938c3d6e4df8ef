# Smoke fills little of most images: a pixel of it counts three times. In mmseg's CrossEntropyLoss
# class weights and avg_non_ignore exclude each other; with weights, ignored pixels do not count.
_base_ = './deeplabv3plus_r50_12e_ijmond-512.py'

loss_decode = dict(_delete_=True, type='CrossEntropyLoss', class_weight=[1.0, 3.0])
model = dict(decode_head=dict(loss_decode=loss_decode))
del loss_decode

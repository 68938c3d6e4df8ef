_base_ = ['./deeplabv3plus_r50_12e_ijmond-512.py', '../_base_/losses/weighted.py']

model = dict(decode_head=dict(loss_decode=_base_.weighted))

# On the thesis' T1 + T2.
_base_ = './resnet50-pcm_2e_ijmond-thesis-512.py'

train_dataloader = dict(dataset=dict(datasets=[*_base_.t1, _base_.t2]))

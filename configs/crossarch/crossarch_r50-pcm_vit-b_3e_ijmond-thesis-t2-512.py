# The same, trained on windows of the tested panoramas, too: the thesis' T1 + T2.
_base_ = './crossarch_r50-pcm_vit-b_3e_ijmond-thesis-512.py'

teacher = 'work_dirs/resnet50-pcm_2e_ijmond-thesis-t2-512/epoch_2.pth'
model = dict(teacher=dict(init_cfg=dict(checkpoint=teacher)))
train_dataloader = dict(dataset=dict(datasets=[*_base_.t1, _base_.t2]))

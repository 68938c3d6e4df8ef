_base_ = './deeplabv3plus_r101_12e_smokestack-128.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

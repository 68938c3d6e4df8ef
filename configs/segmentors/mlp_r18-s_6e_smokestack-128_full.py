_base_ = './mlp_r18-s_6e_smokestack-128.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

_base_ = './mlp_lite0_6e_smoke5k-pack-168.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

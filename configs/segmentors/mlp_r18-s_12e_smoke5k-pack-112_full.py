_base_ = './mlp_r18-s_12e_smoke5k-pack-112.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

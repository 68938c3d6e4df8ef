_base_ = './linear_dinov2-s_3e_smoke5k-pack-168.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

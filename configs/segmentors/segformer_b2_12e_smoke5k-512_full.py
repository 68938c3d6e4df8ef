_base_ = './segformer_b2_12e_smoke5k-512.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

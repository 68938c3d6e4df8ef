_base_ = './sam_vit-b_10e_ijmond-1024.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

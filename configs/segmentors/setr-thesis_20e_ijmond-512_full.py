_base_ = './setr-thesis_20e_ijmond-512.py'

train_dataloader = dict(dataset=dict(seg_map_dir='{data_root}/masks'))

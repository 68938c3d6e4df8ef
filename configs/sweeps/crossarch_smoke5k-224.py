# Larger networks and photographs, on a GPU.
_base_ = ['./crossarch_smoke5k.py', '../_base_/sweeps/crossarch_large.py']

config = _base_.large.config
work_dir = 'work_dirs/crossarch_smoke5k-224'
data_root = 'data/smoke5k-pack'
options = dict(**_base_.large.options, data_root=data_root)
variants = _base_.large.variants

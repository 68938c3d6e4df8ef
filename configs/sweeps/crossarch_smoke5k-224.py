# Larger networks and photographs, on a GPU.
_base_ = ['./crossarch_smokestack-224.py', '../_base_/sweeps/photographs.py']

work_dir = 'work_dirs/crossarch_smoke5k-224'
data_root = 'data/smoke5k-pack'
draw = dict(_delete_=True)
options = dict(data_root=data_root)
splits = _base_.photographs.splits
columns = _base_.photographs.columns

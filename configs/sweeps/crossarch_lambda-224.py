# The same at 224 pixels, on a GPU.
_base_ = ['./crossarch_lambda.py', '../_base_/sweeps/evidence_224.py']

configs = _base_.large.configs
work_dir = _base_.large.work_dir
data_root = _base_.large.data_root
draw = _base_.large.draw
options = _base_.large.options

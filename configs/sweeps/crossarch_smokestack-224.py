# Larger networks and drawn scenes, on a GPU.
_base_ = ['./crossarch_smokestack.py', '../_base_/sweeps/crossarch_large.py']

config = _base_.large.config
work_dir = 'work_dirs/crossarch_smokestack-224'
data_root = 'data/smokestack-biased-224'
draw = {
    '_delete_': True,
    data_root: dict(preset='biased', size=224, train=3000, val=300, test=300),
}
options = dict(**_base_.large.options, data_root=data_root)
variants = _base_.large.variants

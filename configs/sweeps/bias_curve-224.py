# The same at 224 pixels, on a GPU.
_base_ = ['./bias_curve.py', '../_base_/sweeps/evidence_224.py']

configs = _base_.large.configs
work_dir = _base_.large.work_dir
data_root = _base_.large.data_root
draw = _base_.large.draw
options = _base_.large.options
variants = {}
for name, variant in _base_.variants.items():
    if 'data_root' in variant:  # drawn with another P(chimney | clear)
        share = float(name.split(', ')[1])
        root = f'data/smokestack-{share:g}-224'
        draw[root] = dict(p_chimney_clear=share, **_base_.large.scenes)
        variants[name] = dict(data_root=root)
del name, variant, share, root

# The same on photographs: data/smoke5k-pack in the standard layout.
# From scratch, networks learn little there in 12 epochs (variants *_scratch), so all others start
# from their counterparts of the finished sweep on drawn scenes, crossarch_smokestack.
_base_ = ['./crossarch_smokestack.py', '../_base_/sweeps/photographs.py']

config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smoke5k-pack-112.py'
work_dir = 'work_dirs/crossarch_smoke5k'
draw = dict(_delete_=True)
configs = dict(
    cnn='configs/cam/resnet18-s_12e_smoke5k-pack-112.py',
    cnn_pcm='configs/cam/resnet18-s-pcm_12e_smoke5k-pack-112.py',
    vit='configs/cam/vit-xs-cls_12e_smoke5k-pack-112.py',
    vit_patches='configs/cam/vit-xs_12e_smoke5k-pack-112.py',
)
left_out = ('own_maps_uncentred', 'foreground_centred', 'read_from_projection')
variants = dict(
    _delete_=True,
    cnn_scratch=dict(config=configs['cnn']),
    vit_scratch=dict(config=configs['vit']),
)
for name in _base_.variants:
    if name in left_out:
        continue
    drawn = name if name in configs else 'vit_patches' if name == 'own_maps' else 'vit'
    start = dict(type='Pretrained', checkpoint=f'{{best:crossarch_smokestack/{drawn}}}')
    if name in configs:
        variants[name] = {'config': configs[name], 'model.init_cfg': start}
    else:
        variants[name] = {**_base_.variants[name], 'model.student.init_cfg': start}
variants['own_maps']['config'] = (
    'configs/crossarch/crossarch-own_r18-s-pcm_vit-xs_12e_smoke5k-pack-112.py'
)
variants['co_training']['model.teacher.init_cfg'] = dict(
    type='Pretrained', checkpoint='{best:crossarch_smokestack/cnn_pcm}'
)
claims = []
for claim in _base_.claims:
    if claim['more'] in variants and claim['less'] in variants:
        claims.append(claim)
del claim, configs, left_out, name, drawn, start
splits = _base_.photographs.splits
columns = _base_.photographs.columns

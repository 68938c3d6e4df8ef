# The same on photographs: data/smoke5k-pack in the standard layout.
# From scratch, networks learn little there in 12 epochs (variants *_scratch), so all others start
# from their counterparts of the finished sweep on drawn scenes, crossarch_smokestack.
_base_ = './crossarch_smokestack.py'

config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_weakseg-112.py'
work_dir = 'work_dirs/crossarch_smoke5k'
data_root = 'data/smoke5k-pack'
draw = dict(_delete_=True)
options = dict(data_root=data_root)
configs = dict(
    cnn='configs/cam/resnet18-s_12e_weakseg-112.py',
    cnn_pcm='configs/cam/resnet18-s-pcm_12e_weakseg-112.py',
    vit='configs/cam/vit-xs-cls_12e_weakseg-112.py',
    vit_patches='configs/cam/vit-xs_12e_weakseg-112.py',
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
    'configs/crossarch/crossarch-own_r18-s-pcm_vit-xs_12e_weakseg-112.py'
)
variants['co_training']['model.teacher.init_cfg'] = dict(
    type='Pretrained', checkpoint='{best:crossarch_smokestack/cnn_pcm}'
)
claims = []
for claim in _base_.claims:
    if claim['more'] in variants and claim['less'] in variants:
        claims.append(claim)
del claim, configs, left_out, name, drawn, start
# there are no scenes without the chimney, or without the smoke
splits = ['val', 'test']
columns = [column for column in _base_.columns if column[1] in splits]
scales = {
    '224': dict(
        work_dir='work_dirs/crossarch_smoke5k-224',
        draw=dict(_delete_=True),
        options=dict(data_root=data_root),
        variants=dict(
            _delete_=True,
            **{
                name: {**_base_.variants.get(name, {}), **_base_.variants_224.get(name, {})}
                for name in {**_base_.variants, **_base_.variants_224}
            },
        ),
        claims=_base_.claims,
    ),
}

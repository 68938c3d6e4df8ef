# The same on photographs: data/smoke5k-pack in the standard layout.
# From scratch, networks learn little there in 12 epochs (variants *_scratch), so all others start
# from their counterparts of the finished sweep on drawn scenes, crossarch_smokestack.
_base_ = './crossarch_smokestack.py'

own = 'configs/crossarch/crossarch-own_r18-s-pcm_vit-xs_12e_smoke5k-pack-112.py'
config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smoke5k-pack-112.py'
work_dir = 'work_dirs/crossarch_smoke5k'
draw = dict(_delete_=True)
plain = dict(
    cnn='configs/cam/resnet18-s_12e_smoke5k-pack-112.py',
    cnn_pcm='configs/cam/resnet18-s-pcm_12e_smoke5k-pack-112.py',
    vit='configs/cam/vit-xs-cls_12e_smoke5k-pack-112.py',
    vit_patches='configs/cam/vit-xs_12e_smoke5k-pack-112.py',
)
left_out = ('own_maps_uncentred', 'foreground_centred', 'read_from_projection')
variants = dict(
    _delete_=True,
    cnn_scratch=dict(config=plain['cnn']),
    vit_scratch=dict(config=plain['vit']),
)
for name in _base_.variants:
    if name in left_out:
        continue
    drawn = name if name in plain else 'vit_patches' if name == 'own_maps' else 'vit'
    start = dict(type='Pretrained', checkpoint=f'{{best:crossarch_smokestack/{drawn}}}')
    if name in plain:
        variants[name] = {'config': plain[name], 'model.init_cfg': start}
    else:
        variants[name] = {**_base_.variants[name], 'model.student.init_cfg': start}
variants['own_maps']['config'] = own
variants['co_training']['model.teacher.init_cfg'] = dict(
    type='Pretrained', checkpoint='{best:crossarch_smokestack/cnn_pcm}'
)
del plain, own, left_out, name, drawn, start
splits = ['val', 'test']
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, test', 'test', 'label/accuracy'),
]

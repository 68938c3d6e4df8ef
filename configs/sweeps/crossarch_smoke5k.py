# The same on photographs: data/smoke5k-pack in the standard layout.
_base_ = './crossarch_smokestack.py'

own = 'configs/crossarch/crossarch-own_r18-s-pcm_vit-xs_12e_smoke5k-pack-112.py'
config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smoke5k-pack-112.py'
work_dir = 'work_dirs/crossarch_smoke5k'
draw = dict(_delete_=True)
variants = dict(
    cnn=dict(config='configs/cam/resnet18-s_12e_smoke5k-pack-112.py'),
    cnn_pcm=dict(config='configs/cam/resnet18-s-pcm_12e_smoke5k-pack-112.py'),
    vit=dict(config='configs/cam/vit-xs-cls_12e_smoke5k-pack-112.py'),
    vit_patches=dict(config='configs/cam/vit-xs_12e_smoke5k-pack-112.py'),
    own_maps=dict(config=own),
    own_maps_uncentred=dict(config=own),
)
splits = ['val', 'test']
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, test', 'test', 'label/accuracy'),
]

# Smoke and steam, told apart by image labels alone, with weights from packages, on drawn scenes
# where a chimney gives smoke away and a cooling tower steam. All are tested on scenes in which
# neither does.
_base_ = '../_base_/sweeps/packaged.py'

classes = ['smoke', 'steam']
configs = dict(
    lite0='configs/cam/lite0_3e_smokestack-126.py',
    vit='configs/cam/dinov2-s_3e_smokestack-126.py',
    own_maps='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_smokestack-126.py',
)
work_dir = 'work_dirs/packaged_two_classes'
data_root = 'data/smokestack-steam-126'
tested_on = 'data/smokestack-steam-easy-126'
draw = {
    data_root: dict(preset='biased', size=126, train=1200, val=300, test=300, classes=classes),
    tested_on: dict(preset='easy', size=126, train=0, val=300, test=300, classes=classes),
}
options = {
    'data_root': data_root,
    'test_dataloader.dataset.data_root': tested_on,
    **{f'{part}_dataloader.dataset.classes': classes for part in ('train', 'val', 'test')},
}
two_heads = {f'model.{part}.head.num_classes': 2 for part in ('student', 'teacher')}
variants = dict(
    lite0={'config': 'lite0', 'model.head.num_classes': 2},
    vit={'config': 'vit', 'model.head.num_classes': 2},
    own_maps={**_base_.main_rows.own_maps, **two_heads},
)
columns = [
    (f'{title}, {name}', 'test', f'{metric}_{name}')
    for title, metric in (('accuracy', 'label/accuracy'), ('CAM IoU', 'cam/image_iou'))
    for name in classes
] + [
    ('smoke called steam', 'test', 'deployed/confused_smoke_as_steam'),
    ('steam called smoke', 'test', 'deployed/confused_steam_as_smoke'),
]
claims = [
    dict(claim=f'the student beats {title}', more='own_maps', less=name, column=f'CAM IoU, {kind}')
    for name, title in dict(lite0='its teacher', vit='the plain ViT').items()
    for kind in classes
]
del two_heads

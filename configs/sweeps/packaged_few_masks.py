# What do a few true masks add to image labels? Segmentors that learn from the masks of a classifier
# with N true masks among them, from the same N masks alone, with and without clear images, and from
# all masks. On drawn scenes; --scale smoke5k is the same on photographs.
_base_ = './packaged_smokestack.py'

numbers = (25, 50, 100, 200)
configs = dict(segmentor='configs/segmentors/mlp_lite0_6e_smokestack-128.py')
work_dir = 'work_dirs/packaged_few_masks'
options = {'size': 126, 'data_root': _base_.data_root}
segmentor = {'config': 'segmentor', **_base_.segmentor}
masks, beside = 'train_dataloader.dataset.seg_map_dir', 'train_dataloader.dataset.beside'
variants = dict(
    _delete_=True,
    lite0=_base_.main_rows.lite0,
    own_maps=_base_.main_rows.own_maps,
    labels={**segmentor, masks: '{masks:own_maps}'},
)
for number in numbers:
    seen = {**segmentor, 'num_masks': number}
    name = f'own_maps, {number}'
    variants |= {
        name: {**_base_.main_rows.own_maps, 'num_masks': number},
        f'labels, {number}': {**seen, masks: '{masks:own_maps}'},
        f'labels, {number} for both': {**seen, masks: f'{{masks:{name}}}'},
        f'{number} and clear images': {**seen, beside: 'clear'},
        f'{number} alone': {**seen, beside: 'nothing'},
    }
variants['all masks'] = {**segmentor, masks: '{data_root}/masks'}
rows = [name for name in variants if name not in ('_delete_', 'lite0') and 'own' not in name]
baseline = 'labels'
columns = [
    ('IoU', 'test', 'seg/image_iou'),
    ('false alarms', 'test', 'seg/false_images'),
    ('IoU of its pseudo masks', 'masks', 'pseudo/image_iou'),
]
curves = dict(
    x='true masks',
    lines={
        title: {**({'0': 'labels'} if at_0 else {}), **{str(n): name.format(n) for n in numbers}}
        for title, name, at_0 in (
            ('image labels and masks', 'labels, {}', True),
            ('the classifier sees them, too', 'labels, {} for both', True),
            ('masks and clear images', '{} and clear images', False),
            ('masks alone', '{} alone', False),
            ('all masks', 'all masks', False),
        )
    },
)
claims = []
for number in numbers:
    for claim, less in (
        (f'{number} masks add to image labels', 'labels'),
        (f'image labels add to {number} masks', f'{number} alone'),
        (f'labels of smoke add to {number} masks and clear images', f'{number} and clear images'),
    ):
        claims.append(dict(claim=claim, more=f'labels, {number}', less=less, column='IoU'))
photographs = _base_.photographs
scales = {
    'smoke5k': dict(
        photographs,
        configs=dict(
            photographs.configs, segmentor='configs/segmentors/mlp_lite0_6e_weakseg-168.py'
        ),
        work_dir='work_dirs/packaged_few_masks-smoke5k',
        labels=dict(refine=['multi_scale:acr', 'crf:translucent']),
    )
}
del number, seen, name, segmentor, masks, beside, claim, less, numbers

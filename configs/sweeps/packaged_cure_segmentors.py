# What comes of the remedies in the end: segmentors that learn from the masks of classifiers, each
# with and without a remedy. Shares its runs with packaged_cure.
_base_ = './packaged_cure.py'

labelled_by = ('lite0', 'vit', 'own_maps', 'vit_top_plumes', 'chosen_head_plumes')
configs = dict(segmentor='configs/segmentors/mlp_lite0_6e_smokestack-128.py')
segmentor = {
    **_base_.segmentor,
    'config': 'segmentor',
    'size': 126,
    'data_root': _base_.data_root,
}
variants = dict(
    _delete_=True,
    **{name: _base_.variants[name] for name in labelled_by},
    **{name: _base_.variants[name] for name in ('vit_top', 'four_heads', 'chosen_head')},
)
masks = 'train_dataloader.dataset.seg_map_dir'
for name in labelled_by:
    variants[f'segmentor of {name}'] = {**segmentor, masks: f'{{masks:{name}}}'}
variants['segmentor of true masks'] = {**segmentor, masks: '{data_root}/masks'}
rows = [name for name in variants if name.startswith('segmentor')]
baseline = 'segmentor of vit'
columns = [
    ('precision of its masks', 'masks', 'pseudo/precision'),
    ('IoU of its masks', 'masks', 'pseudo/image_iou'),
    ('IoU', 'test', 'seg/image_iou'),
    ('false alarms', 'test', 'seg/false_images'),
    ('chimney outlined', 'pairs', 'pairs/outlined_chimney'),
    ('smoke without chimney outlined', 'pairs', 'pairs/outlined_smoke'),
    ('IoU, smoke without chimney', 'pairs', 'pairs/iou_smoke'),
    ('IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
]
claims = [
    dict(
        claim=f'a segmentor learns less of chimneys from {cured} than from {plain}',
        more=f'segmentor of {plain}',
        less=f'segmentor of {cured}',
        column='chimney outlined',
    )
    for plain, cured in (
        ('vit', 'own_maps'),
        ('vit', 'vit_top_plumes'),
        ('vit', 'chosen_head_plumes'),
        ('own_maps', 'chosen_head_plumes'),
    )
]
del labelled_by, segmentor, masks, name

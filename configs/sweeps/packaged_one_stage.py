# One stage against three, with weights from packages, on drawn scenes: the same classifiers, which
# label the images for a segmentor of their own architecture, or learn together with its decoder.
# Both kinds of training see the images six times, a segmentor with the CNN's trunk nine times.
# --scale smoke5k is the same on photographs, for the ViT. tools/analysis/step_costs.py counts what
# each row costs with all that it needs before. Shares its runs with packaged_cure.
_base_ = './packaged_smokestack.py'

configs = dict(
    single_lite0='configs/segmentors/single_lite0_6e_smokestack-126.py',
    single_vit='configs/segmentors/single_dinov2-s_6e_smokestack-126.py',
    single_taught='configs/segmentors/single_lite0_dinov2-s_6e_smokestack-126.py',
    mutual='configs/segmentors/single-mutual_lite0_dinov2-s_6e_smokestack-126.py',
    segmentor_lite0='configs/segmentors/mlp_lite0_6e_smokestack-128.py',
    segmentor_vit='configs/segmentors/linear_dinov2-s_3e_weakseg-168.py',
)
options = dict(size=126, data_root=_base_.data_root)
top = 0.1  # as the classifiers of one-stage segmentors pool their maps
lite0, teacher = _base_.main_rows.lite0, _base_.main_rows.own_maps
six, three = _base_.segmentor, {**_base_.segmentor, 'train_cfg.val_interval': 3}  # epochs
masks = 'train_dataloader.dataset.seg_map_dir'
variants = dict(
    _delete_=True,
    lite0=lite0,
    lite0_top={**lite0, 'model.head.pool': top},
    vit_top={**_base_.main_rows.vit, 'model.head.pool': top},
    own_maps_top={**teacher, 'model.student.head.pool': top},
)
for network, seen in (('lite0', six), ('vit', three)):
    segmentor = {'config': f'segmentor_{network}', **seen}
    variants[f'three stages, {network}'] = {**segmentor, masks: f'{{masks:{network}_top}}'}
    if network == 'vit':
        variants['three stages, taught'] = {**segmentor, masks: '{masks:own_maps_top}'}
    variants[f'all masks, {network}'] = {**segmentor, masks: '{data_root}/masks'}
variants |= {
    'one stage, lite0': {'config': 'single_lite0', **six},
    'one stage, vit': {'config': 'single_vit', **six},
    'one stage, taught': {
        'config': 'single_taught',
        'model.classifier.teacher.init_cfg.checkpoint': '{best:lite0}',
        **six,
    },
    'one stage, mutual': {'config': 'mutual', **six},
}
rows = [name for name in variants if ', ' in name]
baseline = 'three stages, taught'
columns = [
    ('IoU, val', 'val', 'seg/image_iou'),
    ('IoU', 'test', 'seg/image_iou'),
    ('false alarms', 'test', 'seg/false_images'),
    ('chimney outlined', 'pairs', 'pairs/outlined_chimney'),
    ('IoU, smoke without chimney', 'pairs', 'pairs/iou_smoke'),
]
claims = []
for claim, more, less in (
    ('three stages beat one, CNN', 'three stages, lite0', 'one stage, lite0'),
    ('three stages beat one, ViT', 'three stages, vit', 'one stage, vit'),
    ('three stages beat one, taught ViT', 'three stages, taught', 'one stage, taught'),
    ('a teacher helps three stages', 'three stages, taught', 'three stages, vit'),
    ('a teacher helps one stage', 'one stage, taught', 'one stage, vit'),
    ('two that teach each other beat the CNN', 'one stage, mutual', 'one stage, lite0'),
    ('two that teach each other beat the ViT', 'one stage, mutual', 'one stage, vit'),
):
    claims.append(dict(claim=claim, more=more, less=less, column='IoU'))
of_the_cnn = {'_delete_', 'lite0_top', 'one stage, mutual'}
of_the_cnn |= {name for name in variants if name.endswith(', lite0')}
alone = dict(_delete_=True, config='cam/dinov2-s_3e_weakseg-168.py', head=dict(pool=top))
photographs = _base_.photographs
single_taught = 'configs/segmentors/single_lite0_dinov2-s_6e_weakseg-168.py'
scales = dict(
    smoke5k=dict(
        photographs,
        configs=dict(photographs.configs, single_taught=single_taught),
        labels=dict(refine=['multi_scale:acr', 'crf:translucent']),
        columns=columns[:3],
        variants={
            '_delete_': True,
            **{name: variants[name] for name in variants if name not in of_the_cnn},
            'one stage, vit': {'config': 'single_taught', 'model.classifier': alone, **six},
        },
        claims=[claim for claim in claims if not {claim['more'], claim['less']} & of_the_cnn],
    )
)
del top, lite0, teacher, six, three, masks, network, seen, segmentor
del of_the_cnn, alone, single_taught, claim, more, less

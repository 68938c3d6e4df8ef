# What of the method matters, with weights from packages: the loss, lambda, what is aligned and what
# is read, the paradigm, and the start. Shares its runs with packaged_smokestack.
_base_ = './packaged_smokestack.py'

configs = dict(
    lite0_pcm='configs/cam/lite0-pcm_3e_smokestack-126.py',
    projection='configs/crossarch/crossarch_lite0-pcm_dinov2-s_3e_smokestack-126.py',
    reverse='configs/crossarch/crossarch-own_dinov2-s_lite0_3e_smokestack-126.py',
)
own = _base_.variants.own_maps
loss = 'model.transfer_loss'
from_projection = dict(trained_as='projection')
variants = dict(
    lite0_pcm=dict(config='lite0_pcm'),
    own_maps_pcm={
        'model.teacher.config': configs['lite0_pcm'].removeprefix('configs/'),
        'model.teacher.init_cfg.checkpoint': '{best:lite0_pcm}',
    },
    projection={
        'config': 'projection',
        'model.teacher.init_cfg.checkpoint': '{best:lite0_pcm}',
    },
    projection_own_map={**from_projection, 'model.read_projection': False},
    projection_grad_cam={
        **from_projection,
        'model.read_projection': False,
        'model.student.cam': dict(type='mmsmoke.GradCAM'),
    },
    own_maps_grad_cam={
        'trained_as': 'own_maps',
        'model.student.cam': dict(type='mmsmoke.GradCAM'),
    },
    reverse={'config': 'reverse', 'model.teacher.init_cfg.checkpoint': '{best:vit}'},
    co_own_maps={
        'model.paradigm': 'co_training',
        'model.detach': 'none',
        f'{loss}.loss_weight': 0.5,
        # the teacher begins as its plain config does
        'model.teacher.init_cfg': None,
    },
)
for weight in (0.3, 3.0, 10.0):
    variants[f'own_maps, lambda {weight:g}'] = {**own, f'{loss}.loss_weight': weight}
for level, metrics in (
    ('global', ('l1', 'l2')),
    ('spatial', ('cosine', 'l2')),
    ('channel', ('cosine', 'l1', 'l2')),
):
    for metric in metrics:
        variants[f'own_maps, {level} {metric}'] = {
            **own,
            f'{loss}.type': 'mmsmoke.TransferLoss',
            f'{loss}.level': level,
            f'{loss}.metric': metric,
        }
for name in ('lite0', 'vit'):
    variants[f'{name}_scratch'] = {'config': name, 'model.backbone.init_cfg': None}
variants['own_maps_scratch'] = {
    'model.student.backbone.init_cfg': None,
    'model.teacher.init_cfg.checkpoint': '{best:lite0_scratch}',
}
claims = [*_base_.claims]
for claim, more, less in (
    ('teacher-student beats co-training, global cosine', 'own_maps', 'co_own_maps'),
    (
        'global beats spatial, mean over cosine, l2',
        ['own_maps', 'own_maps, global l2'],
        ['own_maps, spatial cosine', 'own_maps, spatial l2'],
    ),
    (
        'global beats channel, mean over cosine, l1, l2',
        ['own_maps', 'own_maps, global l1', 'own_maps, global l2'],
        [f'own_maps, channel {metric}' for metric in ('cosine', 'l1', 'l2')],
    ),
    ('cosine beats L1 (global)', 'own_maps', 'own_maps, global l1'),
    ('cosine beats L2 (global)', 'own_maps', 'own_maps, global l2'),
    ('lambda 1 beats 0.3', 'own_maps', 'own_maps, lambda 0.3'),
    ('lambda 10 beats 1', 'own_maps, lambda 10', 'own_maps'),
    ('aligning its own maps beats the read-out', 'own_maps_pcm', 'projection'),
    ('what is aligned is what must be read', 'projection', 'projection_own_map'),
    ('a pretrained start helps the student', 'own_maps', 'own_maps_scratch'),
):
    claims.append(dict(claim=claim, more=more, less=less, column='CAM IoU'))
del own, loss, from_projection, weight, level, metrics, metric, name, claim, more, less

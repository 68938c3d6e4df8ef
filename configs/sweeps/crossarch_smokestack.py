# Every transfer loss of the thesis, and ours, beside the plain networks, on scenes with a shortcut.
_base_ = '../_base_/sweeps/crossarch_smokestack.py'

loss = {**_base_.teacher, 'model.transfer_loss.type': 'mmsmoke.TransferLoss'}
level, metric = 'model.transfer_loss.level', 'model.transfer_loss.metric'
variants = {
    'cnn': dict(config='configs/cam/resnet18-s_12e_smokestack-128.py'),
    **_base_.plain,
    'vit': dict(config='configs/cam/vit-xs-cls_12e_smokestack-128.py'),
    'vit_patches': dict(config='configs/cam/vit-xs_12e_smokestack-128.py'),
    'global_cosine': _base_.teacher,
    'global_l1': {**loss, level: 'global', metric: 'l1'},
    'global_l2': {**loss, level: 'global', metric: 'l2'},
    'spatial_cosine': {**loss, level: 'spatial', metric: 'cosine'},
    'channel_cosine': {**loss, level: 'channel', metric: 'cosine'},
    'map_cosine': {**loss, level: 'map', metric: 'cosine'},
    'gram_cosine': {**loss, level: 'gram', metric: 'cosine'},
    'logits_kl': {**loss, 'model.align': 'logits', 'model.projection': None, metric: 'kl'},
    'co_training': _base_.co_training,
    'own_maps': _base_.own_maps,
    'own_maps_uncentred': {**_base_.own_maps, 'model.transfer_loss.center': False},
    'foreground_centred': {
        **_base_.teacher,
        'model.transfer_loss.channels': 'fg',
        'model.transfer_loss.center': True,
    },
    'read_from_projection': {**_base_.teacher, 'model.read_projection': True},
}
baseline = 'vit'
claims = [
    dict(claim='cosine beats L2 (global)', more='global_cosine', less='global_l2'),
    dict(claim='centring helps the read-out', more='foreground_centred', less='global_cosine'),
    dict(claim='centring helps own maps', more='own_maps', less='own_maps_uncentred'),
    dict(claim='own maps beat their plain network', more='own_maps', less='vit_patches'),
    dict(claim='teacher-student beats co-training', more='global_cosine', less='co_training'),
    dict(claim='the student beats its teacher', more='own_maps', less='cnn_pcm'),
]
for claim in claims:
    claim['column'] = 'CAM IoU, test'
del claim
data_root_224 = 'data/smokestack-biased-224'
scales = {
    '224': dict(
        config='configs/crossarch/crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py',
        work_dir='work_dirs/crossarch_smokestack-224',
        data_root=data_root_224,
        draw={
            '_delete_': True,
            data_root_224: dict(preset='biased', size=224, train=3000, val=300, test=300),
        },
        options=dict(**_base_.options_224, data_root=data_root_224),
        variants=_base_.variants_224,
    ),
}

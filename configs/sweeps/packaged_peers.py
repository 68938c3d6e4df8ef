# Peer methods with weights from packages, on drawn scenes: each with the best of the four settings
# that packaged_peers_tries has tried, and with five seeds. Beside them is what the other sweeps
# compare, as it is there. Shares its runs with packaged_cure and, as --scale smoke5k, on
# photographs, with packaged_smoke5k. Some 220 minutes of one core where the checkpoints of those
# are at hand.
_base_ = './packaged_peers_tries.py'

seeds = [0, 1, 2, 3, 4]
tuned = dict(
    sweep='configs/sweeps/packaged_peers_tries.py',
    file='docs/results/packaged_peers_tries.json',
    split='val',
    metric='cam/image_iou',
)
apart = {**_base_.methods.own_maps, 'model.transfer_loss.loss_weight': 0.0}
variants = dict(
    _delete_=True,
    **{name: _base_.methods[name] for name in ('lite0', 'vit', 'own_maps')},
    # TransCAM's and ACR's read-outs without their trainings
    vit_attention={'trained_as': 'vit', 'model.cam': dict(type='mmsmoke.AttentionCAM')},
    vit_grad={'trained_as': 'vit', 'model.cam': dict(type='mmsmoke.AttentionGradCAM')},
    # the maps of two networks, which were trained apart or one by the other
    apart=apart,
)
for mode in ('and', 'or'):
    variants[f'apart_{mode}'] = {'trained_as': 'apart', 'model.combine': mode}
    variants[f'own_maps_{mode}'] = {'trained_as': 'own_maps', 'model.combine': mode}
for method in _base_.methods:
    variants[f'{method}, tuned'] = dict(best_of=method)
baseline = 'own_maps, tuned'
columns = [
    ('accuracy', 'test', 'label/accuracy'),
    ('reliance', 'pairs', 'pairs/reliance'),
    ('chimney called smoke', 'pairs', 'pairs/called_chimney'),
    ('smoke without chimney found', 'pairs', 'pairs/called_smoke'),
    ('CAM IoU', 'test', 'cam/image_iou'),
    ('CAM IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
]
claims = [
    dict(
        claim=f'cross-architecture consistency beats {title}, both tuned',
        more='own_maps, tuned',
        less=f'{name}, tuned',
        column='CAM IoU',
    )
    for name, title in dict(
        lite0='a plain CNN',
        lite0_pcm='PCM',
        seam='SEAM',
        transcam='TransCAM',
        acr='ACR',
        vit='a plain ViT',
    ).items()
]
scales = dict(
    smoke5k=dict(
        tuned=dict(file='docs/results/packaged_peers_tries-smoke5k.json'),
        variants=dict(_delete_=True),
        columns=[
            ('accuracy', 'test', 'label/accuracy'),
            ('CAM IoU', 'test', 'cam/image_iou'),
            ('precision', 'test', 'cam/precision'),
            ('false alarms', 'test', 'deployed/false_images'),
        ],
    )
)
del apart, mode, method

# Can networks that start from scratch be cured? They learn from moved plumes: those that the CNN's
# own maps find (_own), and those found on a trunk from packages: by a single head that sees the
# same scenes drawn larger (_frozen), or by the best head of three groups of four that disagree
# (_cured), however often a clear image shows a chimney; once by the best of a single group.
_base_ = ['../_base_/sweeps/evidence.py', '../_base_/sweeps/companion.py']

configs = dict(
    **_base_.configs,
    frozen='configs/cam/dinov2-s-frozen_40e_smokestack-126.py',
    heads='configs/cam/dinov2-s-heads_40e_smokestack-126.py',
)
shares = (0.0, 0.1, 0.25, 0.5)  # P(chimney | clear); P(chimney | smoke) is 1
large = 'data/smokestack-biased-126'
draw = {**_base_.draw, large: dict(preset='biased', size=126, train=1200, val=300, test=300)}
scales = dict(_delete_=True)
cnn, vit = _base_.plain.cnn_pcm, _base_.plain.vit
variants = {
    'cnn_pcm': cnn,
    'vit': vit,
    'cnn_pcm_own': {**cnn, 'plumes': '{scores:cnn_pcm}'},
    'frozen': {'config': 'frozen', 'train_cfg.val_interval': 40, 'data_root': large},
    'cnn_pcm_frozen': {**cnn, 'plumes': '{scores:frozen}'},
    'vit_frozen': {**vit, 'plumes': '{scores:frozen}'},
}
lines = {'CNN': {}, 'CNN, cured': {}}
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    root, frames = f'data/smokestack-{share:g}-64', f'data/smokestack-{share:g}-frames-64'
    draw[frames] = dict(p_chimney_clear=share, **_base_.scenes, unlabelled=600)
    if share != 0.1:
        draw[root] = dict(p_chimney_clear=share, **_base_.scenes)
        variants['cnn_pcm' + end] = {**cnn, 'data_root': root}
    heads = {
        'config': 'heads',
        'train_cfg.val_interval': 40,
        'default_hooks.checkpoint.save_best': None,
        'data_root': frames,
    }
    cured = {**cnn, 'data_root': frames}
    variants['heads' + end] = heads
    variants['best_head' + end] = dict(trained_as='heads' + end, retrain='choose')
    variants['cnn_pcm_cured' + end] = {**cured, 'plumes': f'{{scores:best_head{end}}}'}
    if share == 0.1:
        four = {'model.head.heads': 4, 'model.aux': [dict(type='mmsmoke.DisagreementLoss')]}
        variants['four_heads'] = {**heads, **four}
        variants['chosen_head'] = dict(trained_as='four_heads', retrain='choose')
        variants['cnn_pcm_chosen'] = {**cured, 'plumes': '{scores:chosen_head}'}
    lines['CNN'][f'{share:g}'] = 'cnn_pcm' + end
    lines['CNN, cured'][f'{share:g}'] = 'cnn_pcm_cured' + end
rows = [name for name in variants if not name.startswith(('heads', 'four_heads'))]
baseline = None
curves = dict(x='P(chimney | clear) in training', lines=lines)
columns = [('CAM IoU, val', 'val', 'cam/image_iou'), *_base_.companion.remedy_columns]
claims = [
    dict(claim=claim, more=more, less=less, column=column)
    for claim, more, less in (
        ("a CNN's own plumes cure it, P = 0.1", 'cnn_pcm', 'cnn_pcm_own'),
        ("plumes of a frozen trunk's head cure a CNN, P = 0.1", 'cnn_pcm', 'cnn_pcm_frozen'),
        ("plumes of a frozen trunk's head cure a ViT, P = 0.1", 'vit', 'vit_frozen'),
        *(
            (f'plumes of the best head cure a CNN, P = {share}', name, lines['CNN, cured'][share])
            for share, name in lines['CNN'].items()
        ),
    )
    for column in ('reliance', 'chimney called smoke')
]
del shares, large, cnn, vit, lines, share, end, root, frames, heads, cured, four

# Can networks that start from scratch be cured? Each learns from moved plumes: those that the CNN's
# own maps find, and those found by heads on a trunk from packages, which sees the scenes larger.
_base_ = ['../_base_/sweeps/evidence.py', '../_base_/sweeps/companion.py']

configs = dict(**_base_.configs, heads='configs/cam/dinov2-s-heads_40e_smokestack-126.py')
draw, variants = dict(_base_.draw), {}
heads = {
    'config': 'heads',
    'train_cfg.val_interval': 40,
    'default_hooks.checkpoint.save_best': None,
}
claims, lines = [], dict(CNN={}, ViT={}, **{'CNN, cured': {}, 'ViT, cured': {}})
for share in (0.0, 0.1, 0.25, 0.5):  # P(chimney | clear); P(chimney | smoke) is 1
    end = '' if share == 0.1 else f', {share:g}'
    root, frames = f'data/smokestack-{share:g}-64', f'data/smokestack-{share:g}-frames-64'
    root = root if end else _base_.data_root
    draw |= {
        root: dict(p_chimney_clear=share, **_base_.scenes) if end else draw[root],
        frames: dict(p_chimney_clear=share, **_base_.scenes, unlabelled=600),
    }
    own = dict(data_root=root) if end else {}
    variants |= {
        f'packaged_heads{end}': {**heads, 'data_root': frames},
        f'packaged_head{end}': dict(trained_as=f'packaged_heads{end}', retrain='choose'),
    }
    for name, title in (('cnn_pcm', 'CNN'), ('vit', 'ViT')):
        plain = _base_.plain[name]
        variants[name + end] = {**plain, **own}
        if name == 'cnn_pcm':
            variants[f'cnn_pcm_own{end}'] = {**plain, **own, 'plumes': f'{{scores:cnn_pcm{end}}}'}
        moved = dict(data_root=frames, plumes=f'{{scores:packaged_head{end}}}')
        variants[f'{name}_cured{end}'] = {**plain, **moved}
        lines[title][f'{share:g}'] = name + end
        lines[f'{title}, cured'][f'{share:g}'] = f'{name}_cured{end}'
        for column in ('reliance', 'chimney called smoke'):
            claim = f'the cured {title} leans less on chimneys than the plain one, P = {share:g}'
            claims.append(
                dict(claim=claim, more=name + end, less=f'{name}_cured{end}', column=column)
            )
rows = [name for name in variants if not name.startswith('packaged_heads')]
curves = dict(x='P(chimney | clear) in training', lines=lines)
baseline, scales = None, dict(_delete_=True)
columns = [
    ('accuracy', 'test', 'label/accuracy'),
    ('reliance', 'pairs', 'pairs/reliance'),
    ('chimney called smoke', 'pairs', 'pairs/called_chimney'),
    ('neither called smoke', 'pairs', 'pairs/called_neither'),
    ('smoke without chimney found', 'pairs', 'pairs/called_smoke'),
    ('CAM IoU', 'test', 'cam/image_iou'),
    ('CAM IoU, smoke without chimney', 'pairs', 'pairs/iou_smoke'),
    ('CAM IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
    ('same map', 'pairs', 'pairs/same_map'),
]
del heads, share, end, root, frames, own, name, title, plain, moved, column, claim, lines

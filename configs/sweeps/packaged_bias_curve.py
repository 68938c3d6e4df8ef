# How much do classifiers with weights from packages lean on chimneys, the more often a chimney
# means smoke? Plain, taught and cured; shares its runs with packaged_cure.
_base_ = './packaged_cure.py'

shares = (0.0, 0.1, 0.25, 0.5)  # P(chimney | clear); P(chimney | smoke) is 1
titles = dict(
    lite0='CNN (teacher)', vit='ViT', own_maps='ViT, taught', chosen_head_plumes='ViT, cured'
)
draw, variants = dict(_base_.draw), dict(_delete_=True)
lines = {title: {} for title in titles.values()}
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    root, frames = f'data/smokestack-{share:g}-126', f'data/smokestack-{share:g}-frames-126'
    methods = {name: dict(_base_.variants[name]) for name in (*titles, 'four_heads', 'chosen_head')}
    if end:
        drawn = dict(p_chimney_clear=share, size=126, train=1200, val=300, test=300)
        draw |= {root: drawn, frames: dict(drawn, unlabelled=600)}
        for name in ('lite0', 'vit', 'own_maps'):
            methods[name]['data_root'] = root
        for name in ('four_heads', 'chosen_head_plumes'):
            methods[name]['data_root'] = frames
        methods['own_maps']['model.teacher.init_cfg.checkpoint'] = f'{{best:lite0{end}}}'
        methods['chosen_head']['trained_as'] = f'four_heads{end}'
        methods['chosen_head_plumes']['plumes'] = f'{{scores:chosen_head{end}}}'
    for name, changes in methods.items():
        variants[name + end] = changes
    for name, title in titles.items():
        lines[title][f'{share:g}'] = name + end
baseline = None
rows = [name + ('' if share == 0.1 else f', {share:g}') for share in shares for name in titles]
curves = dict(x='P(chimney | clear) in training', lines=lines)
claims = []
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    for name, method in (('taught', 'own_maps'), ('cured', 'chosen_head_plumes')):
        claim = f'the {name} ViT leans less on chimneys than the plain one, P = {share:g}'
        for column in ('reliance', 'chimney called smoke'):
            claims.append(dict(claim=claim, more='vit' + end, less=method + end, column=column))
del share, root, frames, end, method, methods, changes, title, titles, lines, name, claim, column

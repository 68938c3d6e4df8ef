# How much do classifiers with weights from packages lean on chimneys, the more often a chimney
# means smoke? Shares its runs with packaged_smokestack.
_base_ = './packaged_smokestack.py'

shares = (0.0, 0.1, 0.25, 0.5)  # P(chimney | clear); P(chimney | smoke) is 1
titles = dict(lite0='CNN (teacher)', vit='ViT', own_maps='ViT, taught')
draw, variants = dict(_base_.draw), {}
lines = {title: {} for title in titles.values()}
for share in shares:
    root = f'data/smokestack-{share:g}-126'
    if share != 0.1:
        draw[root] = dict(p_chimney_clear=share, size=126, train=1200, val=300, test=300)
    for method, changes in _base_.main_rows.items():
        name = method if share == 0.1 else f'{method}, {share:g}'
        variants[name] = {**changes, **({} if share == 0.1 else {'data_root': root})}
        if method == 'own_maps' and share != 0.1:
            variants[name]['model.teacher.init_cfg.checkpoint'] = f'{{best:lite0, {share:g}}}'
        lines[titles[method]][f'{share:g}'] = name
baseline = None
curves = dict(x='P(chimney | clear) in training', lines=lines)
claims = []
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    for column in ('reliance', 'chimney called smoke'):
        claims.append(
            dict(
                claim=f'the taught ViT leans less on chimneys than the plain one, P = {share:g}',
                more=f'vit{end}',
                less=f'own_maps{end}',
                column=column,
            )
        )
del share, root, method, changes, name, titles, end, lines, column

# How much do classifiers with weights from packages lean on chimneys, the more often a chimney
# means smoke? Plain, taught and cured; shares its runs with packaged_cure.
_base_ = './packaged_cure.py'

shares = (0.0, 0.1, 0.25, 0.5)  # P(chimney | clear); P(chimney | smoke) is 1
titles = dict(
    lite0='CNN (teacher)',
    vit='ViT',
    own_maps='ViT, taught',
    vit_top='ViT, a tenth of the map',
    vit_top_plumes='ViT, cured',
)
draw, variants = dict(_base_.draw), dict(_delete_=True)
lines = {title: {} for title in titles.values()}
for share in shares:
    root, end = f'data/smokestack-{share:g}-126', f', {share:g}'
    if share == 0.1:
        root, end = _base_.data_root, ''
    else:
        draw[root] = dict(p_chimney_clear=share, size=126, train=1200, val=300, test=300)
    for method, title in titles.items():
        variants[method + end] = {**_base_.variants[method], 'data_root': root}
        lines[title][f'{share:g}'] = method + end
    variants['own_maps' + end]['model.teacher.init_cfg.checkpoint'] = f'{{best:lite0{end}}}'
    variants['vit_top_plumes' + end]['plumes'] = f'{{scores:vit_top{end}}}'
baseline = None
curves = dict(x='P(chimney | clear) in training', lines=lines)
claims = []
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    for name, method in (('taught', 'own_maps'), ('cured', 'vit_top_plumes')):
        claim = f'the {name} ViT leans less on chimneys than the plain one, P = {share:g}'
        for column in ('reliance', 'chimney called smoke'):
            claims.append(dict(claim=claim, more='vit' + end, less=method + end, column=column))
del share, root, end, method, title, titles, lines, name, claim, column

# How much do classifiers lean on chimneys, the more often a chimney means smoke? To add a method
# of your own, inherit from this file and add its variants and its line.
_base_ = ['../_base_/sweeps/evidence.py', '../_base_/sweeps/companion.py']

shares = (0.0, 0.1, 0.25, 0.5)  # P(chimney | clear); P(chimney | smoke) is 1
methods = dict(
    cnn_pcm=_base_.plain.cnn_pcm,
    vit=_base_.plain.vit,
    global_cosine=_base_.teacher,
    co_global_cosine=_base_.co_training,
)
titles = dict(
    cnn_pcm='CNN (teacher)',
    vit='ViT',
    global_cosine='ViT, taught',
    co_global_cosine='ViT, co-trained',
)
draw, variants = dict(_base_.draw), {}
draw_224, variants_224 = dict(_base_.scales['224'].draw), {}
lines = {title: {} for title in titles.values()}
for share in shares:
    root = f'data/smokestack-{share:g}-64'
    if share != 0.1:  # which the other sweeps have drawn
        draw[root] = dict(p_chimney_clear=share, **_base_.scenes)
        large = f'data/smokestack-{share:g}-224'
        draw_224[large] = dict(p_chimney_clear=share, **_base_.scenes_224)
    for method, changes in methods.items():
        name = method if share == 0.1 else f'{method}, {share:g}'
        variants[name] = {**changes, **({} if share == 0.1 else {'data_root': root})}
        if method == 'global_cosine' and share != 0.1:
            teacher = f'{{best:cnn_pcm, {share:g}}}'
            variants[name]['model.teacher.init_cfg.checkpoint'] = teacher
        if share != 0.1:
            variants_224[name] = dict(data_root=large)
        lines[titles[method]][f'{share:g}'] = name
scales = {'224': dict(draw=draw_224, variants=variants_224)}
baseline = None
columns = _base_.companion.columns
curves = dict(x='P(chimney | clear) in training', lines=lines)
claims = []
for share in shares:
    end = '' if share == 0.1 else f', {share:g}'
    claim = f'the taught ViT leans less on chimneys than the plain one, P = {share:g}'
    for column in ('reliance', 'chimney called smoke'):
        claims.append(
            dict(claim=claim, more=f'vit{end}', less=f'global_cosine{end}', column=column)
        )
del (
    share,
    root,
    large,
    draw_224,
    variants_224,
    method,
    changes,
    name,
    teacher,
    methods,
    titles,
    end,
    lines,
    claim,
    column,
)

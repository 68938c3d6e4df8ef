# What keeps classifiers from reading the chimney, with weights from packages, on drawn scenes: each
# remedy alone and some together, what an oracle could do, and whether a teacher passes its cure on.
# Shares its runs with packaged_smokestack.
_base_ = './packaged_smokestack.py'

configs = dict(
    reverse='configs/crossarch/crossarch-own_dinov2-s_lite0_3e_smokestack-126.py',
    frozen='configs/cam/dinov2-s-frozen_40e_smokestack-126.py',
    heads='configs/cam/dinov2-s-heads_40e_smokestack-126.py',
)
taught = 'model.teacher.init_cfg.checkpoint'
part = {'train_dataloader.dataset.portion': (0, 0.8)}  # the rest is for the retraining of heads
top = 0.1  # the logit is the mean of the tenth of the map with most evidence
vit_top = {'config': 'vit', 'model.head.pool': top}
errors = {
    'train_dataloader.sampler': dict(
        _delete_=True, type='mmsmoke.WeightedSampler', weights='{errors:lite0_early:20}'
    )
}
plumes = dict(plumes='{scores:vit_top}')
# the same scenes and 600 more, without labels, in a quarter of which a chimney stands idle
frames = 'data/smokestack-biased-frames-126'
draw = {**_base_.draw, frames: dict(_base_.draw[_base_.data_root], unlabelled=600)}
at_the_end = {'train_cfg.val_interval': 40}
heads = {
    **at_the_end,
    'config': 'heads',
    'data_root': frames,
    'default_hooks.checkpoint.save_best': None,
}
one_group = {'model.head.heads': 4, 'model.aux': [dict(type='mmsmoke.DisagreementLoss')]}
moved = {'data_root': frames, 'plumes': '{scores:chosen_head}'}
variants = dict(
    # what the logit is: the strongest place of the map, or a tenth of all places
    lite0_max={'config': 'lite0', 'model.head.pool': 'max'},
    vit_max={'config': 'vit', 'model.head.pool': 'max'},
    vit_top=vit_top,
    # weights for the images that the network calls wrong after one epoch
    lite0_early={'config': 'lite0', 'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1},
    lite0_jtt={'config': 'lite0', **errors},
    vit_jtt={'config': 'vit', **errors},
    vit_top_jtt={**vit_top, **errors},
    # plumes put elsewhere, plumes taken away
    lite0_plumes={'config': 'lite0', **plumes},
    vit_top_plumes={**vit_top, **plumes},
    vit_top_twice={**vit_top, 'plumes': '{scores:vit_top_plumes}'},
    # maps of a trunk that does not learn
    frozen=dict(config='frozen', **at_the_end),
    frozen_plumes={**vit_top, 'plumes': '{scores:frozen}'},
    # heads on it that disagree about images without labels, the best one, and its plumes: for a
    # ViT, a CNN, and the ViT that this CNN teaches
    four_heads={**heads, **one_group},
    chosen_head=dict(trained_as='four_heads', retrain='choose'),
    chosen_head_plumes={**vit_top, **moved},
    lite0_chosen_head_plumes={'config': 'lite0', **moved},
    crossarch_cured={
        'model.student.head.pool': top,
        taught: '{best:lite0_chosen_head_plumes}',
        **moved,
    },
    # the same, but the best head of three groups
    heads=heads,
    best_head=dict(trained_as='heads', retrain='choose'),
    best_head_plumes={**vit_top, **moved, 'plumes': '{scores:best_head}'},
    # a cured teacher and a student that sees the images as they are
    vit_taught_by_cured={taught: '{best:lite0_plumes}'},
    lite0_taught={'config': 'reverse', taught: '{best:vit}'},
    lite0_taught_by_cured={
        'config': 'reverse',
        taught: '{best:vit_top_plumes}',
        'model.teacher.head.pool': top,
    },
    # further losses
    vit_fpr={
        'config': 'vit',
        'model.aux': [dict(type='mmsmoke.FalsePositiveLoss', hardest=60)],
        'custom_hooks': [dict(type='mmsmoke.FalsePositiveCentresHook', begin=1)],
        'optim_wrapper.clip_grad': dict(max_norm=5),
    },
    vit_seco={
        'config': 'vit',
        'model.aux': [
            dict(type='mmsmoke.CropContrastLoss', crops=4, crop_size=42, start=37),
        ],
    },
    # heads of features that stay, with the images that the network has not seen
    lite0_part={'config': 'lite0', **part},
    vit_part={'config': 'vit', **part},
)
for name in ('lite0', 'vit'):
    for method in ('plain', 'afr', 'lfr', 'dfr'):
        variants[f'{name}_{method}'] = dict(trained_as=f'{name}_part', retrain=method)
for mode in ('and', 'or', 'mean'):
    variants[f'own_maps_{mode}'] = {'trained_as': 'own_maps', 'model.combine': mode}
columns = _base_.companion.remedy_columns
less_than = 'the cured ViT leans less on chimneys than the {} one, P = 0.1'
claims = []
for claim, more, less, column in (
    ('pooling a tenth makes better maps of the ViT', 'vit_top', 'vit', 'CAM IoU'),
    ('moved plumes cure the CNN', 'lite0', 'lite0_plumes', 'reliance'),
    ('moved plumes cure the ViT that pools a tenth', 'vit_top', 'vit_top_plumes', 'reliance'),
    ('the chosen head makes better maps', 'chosen_head', 'vit', 'CAM IoU'),
    (less_than.format('plain'), 'vit', 'chosen_head_plumes', 'reliance'),
    (less_than.format('plain'), 'vit', 'chosen_head_plumes', columns[2][0]),
    (less_than.format('taught'), 'own_maps', 'chosen_head_plumes', 'reliance'),
    ('the cured ViT finds more smoke without chimney', 'chosen_head_plumes', 'vit', columns[4][0]),
    ('the cured ViT makes better maps', 'chosen_head_plumes', 'vit', 'CAM IoU'),
    ('without unlabelled images: less reliance', 'vit', 'frozen_plumes', 'reliance'),
    ('without unlabelled images: better maps', 'frozen_plumes', 'vit', 'CAM IoU'),
    ('a cured teacher adds to the cure', 'chosen_head_plumes', 'crossarch_cured', 'reliance'),
    ('a cured CNN passes its maps on to a ViT', 'vit_taught_by_cured', 'own_maps', 'CAM IoU'),
    ('a cured CNN passes its cure on to a ViT', 'own_maps', 'vit_taught_by_cured', 'reliance'),
    ('a cured teacher passes its maps on', 'lite0_taught_by_cured', 'lite0', 'CAM IoU'),
    ('a cured teacher passes its cure on', 'lite0', 'lite0_taught_by_cured', 'reliance'),
    ('JTT cures the ViT', 'vit', 'vit_jtt', 'chimney called smoke'),
    ('a retrained head (AFR) cures the ViT', 'vit_part', 'vit_afr', 'chimney called smoke'),
    ('an oracle (DFR) cures the ViT', 'vit_part', 'vit_dfr', 'chimney called smoke'),
    ('the cure beats the oracle (DFR)', 'vit_dfr', 'chosen_head_plumes', 'reliance'),
):
    claims.append(dict(claim=claim, more=more, less=less, column=column))
del taught, part, top, vit_top, errors, plumes, frames, at_the_end, heads, one_group, moved
del name, method, mode, less_than, claim, more, less, column

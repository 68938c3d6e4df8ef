# Can networks that start from scratch be cured? They learn from moved plumes: those that the CNN's
# own maps find (_own), and those found on a trunk from packages: by a single head that sees the
# same scenes drawn larger (_frozen), or by the best of four that disagree (_cured).
_base_ = ['../_base_/sweeps/evidence.py', '../_base_/sweeps/companion.py']

configs = dict(
    **_base_.configs,
    frozen='configs/cam/dinov2-s-frozen_40e_smokestack-126.py',
    heads='configs/cam/dinov2-s-heads_40e_smokestack-126.py',
)
large = 'data/smokestack-biased-126'
frames, frames_0 = 'data/smokestack-0.1-frames-64', 'data/smokestack-0-frames-64'
draw = {
    **_base_.draw,
    large: dict(preset='biased', size=126, train=1200, val=300, test=300),
    'data/smokestack-0-64': dict(p_chimney_clear=0.0, **_base_.scenes),
    frames: dict(p_chimney_clear=0.1, **_base_.scenes, unlabelled=600),
    frames_0: dict(p_chimney_clear=0.0, **_base_.scenes, unlabelled=600),
}
scales = dict(_delete_=True)
heads = {
    'config': 'heads',
    'train_cfg.val_interval': 40,
    'default_hooks.checkpoint.save_best': None,
}
cnn, vit = _base_.plain.cnn_pcm, _base_.plain.vit
variants = {
    'cnn_pcm': cnn,
    'vit': vit,
    'cnn_pcm_own': {**cnn, 'plumes': '{scores:cnn_pcm}'},
    'frozen': {'config': 'frozen', 'train_cfg.val_interval': 40, 'data_root': large},
    'cnn_pcm_frozen': {**cnn, 'plumes': '{scores:frozen}'},
    'vit_frozen': {**vit, 'plumes': '{scores:frozen}'},
    'four_heads': {**heads, 'data_root': frames},
    'chosen_head': dict(trained_as='four_heads', retrain='choose'),
    'cnn_pcm_cured': {**cnn, 'data_root': frames, 'plumes': '{scores:chosen_head}'},
    # no clear image shows a chimney
    'cnn_pcm, 0': {**cnn, 'data_root': 'data/smokestack-0-64'},
    'four_heads, 0': {**heads, 'data_root': frames_0},
    'chosen_head, 0': dict(trained_as='four_heads, 0', retrain='choose'),
    'cnn_pcm_cured, 0': {**cnn, 'data_root': frames_0, 'plumes': '{scores:chosen_head, 0}'},
}
rows = [name for name in variants if not name.startswith('four_heads')]
baseline = None
columns = [('CAM IoU, val', 'val', 'cam/image_iou'), *_base_.companion.remedy_columns]
claims = [
    dict(claim=claim, more=more, less=less, column=column)
    for claim, more, less in (
        ("a CNN's own plumes cure it, P = 0.1", 'cnn_pcm', 'cnn_pcm_own'),
        ("plumes of a frozen trunk's head cure a CNN, P = 0.1", 'cnn_pcm', 'cnn_pcm_frozen'),
        ("plumes of a frozen trunk's head cure a ViT, P = 0.1", 'vit', 'vit_frozen'),
        ('plumes of the chosen head cure a CNN, P = 0.1', 'cnn_pcm', 'cnn_pcm_cured'),
        ('plumes of the chosen head cure a CNN, P = 0', 'cnn_pcm, 0', 'cnn_pcm_cured, 0'),
    )
    for column in ('reliance', 'chimney called smoke')
]
del large, frames, frames_0, heads, cnn, vit

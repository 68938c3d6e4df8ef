# CLIP-ES whole: its maps, its dense CRF; what is not 95 % certain either way is ignored.
_base_ = './clip.py'

crf = dict(type='mmsmoke.CRFHook', preset='clip_es')
custom_hooks = [
    _base_.clip,
    crf,
    dict(type='mmsmoke.PseudoLabelHook', threshold=0.95, ignore_above=0.05),
]

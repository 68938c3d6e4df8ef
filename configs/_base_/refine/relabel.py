# Self-training: a segmentor labels the images that the next one learns from.
_base_ = './threshold.py'

custom_hooks = [dict(type='mmsmoke.PseudoLabelHook', threshold=0.5)]

# Grad-CAMs of four layers of a ViT, fused: more coverage.
_base_ = './threshold.py'

custom_hooks = [dict(type='mmsmoke.CAMFusionHook'), *_base_.custom_hooks]

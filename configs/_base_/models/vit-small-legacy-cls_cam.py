# timm's first "small" ViT: as wide as ViT-B, eight blocks. No weights of it are published for
# mmpretrain; name a checkpoint in backbone.init_cfg, or train from scratch.
_base_ = './vit-base-cls_cam.py'

model = dict(backbone=dict(arch='small', init_cfg=None))

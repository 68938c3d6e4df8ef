# IRN's classifier: stem and first two stages stay as they are, and so do the statistics of all
# batch norms.
_base_ = './resnet50_cam.py'

model = dict(backbone=dict(frozen_stages=2, norm_eval=True))

# The same on a GPU, from ImageNet's weights, at 512 px.
_base_ = './smoke5k-pack.py'

classify = dict(config='configs/cam/resnet50_12e_weakseg-224.py')
label = dict(config='configs/pseudo/resnet50_crf_weakseg-224.py')
segment = dict(
    config='configs/segmentors/deeplabv3plus_r50_12e_smoke5k-512.py', start_from_classifier=False
)
self_training = dict(rounds=0)
full = dict(config='configs/segmentors/deeplabv3plus_r50_12e_smoke5k-512_full.py')
